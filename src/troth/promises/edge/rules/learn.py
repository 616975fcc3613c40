"""A Content-Security-Policy from what a page was seen to use (Source: W3C CSP Level 3).

A use is a directive and a source: an origin, `self`, or a word that browsers report (`inline`,
`eval`, `data`, ...). What no page was seen to use is not allowed beyond the page's own origin.
"""

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from troth.promises.edge.rules.csp import NONE, Policy

Use = tuple[str, str]

WORDS = {
    "self": "'self'",
    "inline": "'unsafe-inline'",
    "eval": "'unsafe-eval'",
    "wasm-eval": "'wasm-unsafe-eval'",
    "data": "data:",
    "blob": "blob:",
    "mediastream": "mediastream:",
}
# Where browsers look when a directive is not there (CSP3, 6.8.3); the last is asked for all.
FALLBACK: Mapping[str, tuple[str, ...]] = {
    "script-src-elem": ("script-src",),
    "script-src-attr": ("script-src",),
    "style-src-elem": ("style-src",),
    "style-src-attr": ("style-src",),
    "worker-src": ("child-src", "script-src"),
    "frame-src": ("child-src",),
}
ALONE = frozenset({"form-action", "base-uri"})  # nothing stands in for these
WRITTEN = {name: others[-1] for name, others in FALLBACK.items() if name.endswith(("elem", "attr"))}
FIRST: Mapping[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "object-src": (NONE,),
    "base-uri": (NONE,),
    "form-action": ("'self'",),
}
_MOST_TAGS = 20_000
_SOURCES = {"script": "script-src-elem", "img": "img-src", "iframe": "frame-src"}
_SOURCES |= {"audio": "media-src", "video": "media-src", "track": "media-src"}
_SOURCES |= {"frame": "frame-src", "embed": "object-src"}
_LINKS = {"stylesheet": "style-src-elem", "icon": "img-src", "manifest": "manifest-src"}
_DATA = frozenset({"application/json", "application/ld+json", "importmap", "text/template"})


def compose(uses: Iterable[Use], before: Policy) -> str:
    """The tightest policy that lets these uses pass; what `before` allowed stays allowed.

    Sources of the plain network (`http:`, `ws:`) are left out: an encrypted page loads none.
    """
    directives = {name: list(sources) for name, sources in (before or FIRST).items()}
    for directive, source in sorted(set(uses)):
        if source.startswith(("http://", "ws://")):
            continue
        name = WRITTEN.get(directive, directive)
        if not allows({key: tuple(value) for key, value in directives.items()}, directive, source):
            base = directives.get(name) or list(_standing(directives, name))
            kept = [each for each in base if each.lower() != NONE]
            directives[name] = [*kept, WORDS.get(source, source)]
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


def missing(policy: Policy, uses: Iterable[Use]) -> tuple[Use, ...]:
    """Which of the uses the policy would stop, sorted."""
    return tuple(sorted(use for use in set(uses) if not allows(policy, *use)))


def allows(policy: Policy, directive: str, source: str) -> bool:
    """Whether the policy lets it pass, as far as origins and keywords say."""
    names = (directive, *FALLBACK.get(directive, ()))
    if directive not in ALONE:
        names = (*names, "default-src")
    standing = next((policy[name] for name in names if name in policy), None)
    if standing is None:
        return True
    allowed = {each.lower() for each in standing}
    if source == "inline" and any(each.startswith(("'nonce-", "'sha")) for each in allowed):
        return False
    if WORDS.get(source, source) in allowed:
        return True
    is_network = source.startswith(("https://", "wss://"))
    scheme = source.partition(":")[0] + ":"
    return is_network and bool({"*", scheme} & allowed)


def _standing(directives: Mapping[str, list[str]], name: str) -> list[str]:
    """What a directive that is not there would have allowed."""
    names = (*FALLBACK.get(name, ()), *(() if name in ALONE else ("default-src",)))
    return next((directives[each] for each in names if each in directives), ["'self'"])


def uses_of(text: str, url: str) -> frozenset[Use]:
    """What a page of HTML itself uses; what its scripts and styles load is not seen here."""
    reader = _Reader(url)
    reader.feed(text)
    return frozenset(reader.found)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.own = urlsplit(url)[:2]
        self.found: set[Use] = set()
        self._left = _MOST_TAGS

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._left -= 1
        if self._left < 0:
            return
        given = {name: value or "" for name, value in attrs}
        if any(name.startswith("on") for name in given):
            self.found.add(("script-src-attr", "inline"))
        if "style" in given:
            self.found.add(("style-src-attr", "inline"))
        self._tag(tag, given)

    def _tag(self, tag: str, given: Mapping[str, str]) -> None:
        match tag:
            case "base" if "href" in given:
                self._at("base-uri", given["href"])
                self.base = urljoin(self.base, given["href"])
            case "script" if "src" not in given:
                if given.get("type", "").lower() not in _DATA:
                    self.found.add(("script-src-elem", "inline"))
            case "style":
                self.found.add(("style-src-elem", "inline"))
            case "form" if given.get("action"):
                self._at("form-action", given["action"])
            case "object" if given.get("data"):
                self._at("object-src", given["data"])
            case "link" if given.get("href"):
                self._link(given.get("rel", ""), given["href"])
            case _ if tag in _SOURCES and given.get("src"):
                self._at(_SOURCES[tag], given["src"])

    def _link(self, rel: str, target: str) -> None:
        for word in set(rel.lower().split()) & set(_LINKS):
            self._at(_LINKS[word], target)

    def _at(self, directive: str, target: str) -> None:
        try:
            parts = urlsplit(urljoin(self.base, target.strip()))
        except ValueError:
            return
        if parts[:2] == self.own:
            self.found.add((directive, "self"))
        elif parts.scheme in {"data", "blob"}:
            self.found.add((directive, parts.scheme))
        elif parts.scheme in {"http", "https"} and parts.netloc:
            self.found.add((directive, f"{parts.scheme}://{parts.netloc.lower()}"))
