"""Content-Security-Policy: what a value allows (Source: W3C CSP Level 3)."""

import re
from collections.abc import Iterable, Mapping

Policy = Mapping[str, tuple[str, ...]]

NONE = "'none'"
_NONCE = re.compile(r"'nonce-[A-Za-z0-9+/_-]+={0,2}'")
_HASH = re.compile(r"'sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}'", re.IGNORECASE)
# Keywords beside a nonce or hash that let no injected script run.
_HARMLESS = frozenset({"'self'", "'strict-dynamic'", "'report-sample'", "'wasm-unsafe-eval'"})
_HOST = re.compile(
    r"(?:https://)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?(?:/[^\s;,]*)?", re.IGNORECASE
)


def parse_csp(values: Iterable[str]) -> tuple[Policy, ...]:
    """Every policy that header fields of one name carry; browsers enforce all of them.

    Names are in lower case; of a directive given twice the first counts (CSP3, 2.2.1).
    """
    policies = []
    for serialized in (piece for value in values for piece in value.split(",")):
        policy: dict[str, tuple[str, ...]] = {}
        for directive in serialized.split(";"):
            name, *sources = directive.split()[:200] or [""]
            if name:
                policy.setdefault(name.lower(), tuple(sources))
        if policy:
            policies.append(policy)
    return tuple(policies)


def _sources(policy: Policy, *names: str) -> tuple[str, ...] | None:
    """The sources of the first of these directives that the policy has."""
    return next((policy[name] for name in names if name in policy), None)


def names_scripts(policy: Policy) -> bool:
    """Whether it says anything about what may run."""
    return _sources(policy, "script-src", "default-src") is not None


def _is_none(sources: tuple[str, ...] | None) -> bool:
    return sources is not None and (sources == () or tuple(map(str.lower, sources)) == (NONE,))


def _stops_injected(sources: tuple[str, ...] | None) -> bool:
    """Whether only named scripts run: none at all, or those of a nonce or hash."""
    if _is_none(sources):
        return True
    if not sources:
        return False
    named = [s for s in sources if _NONCE.fullmatch(s) or _HASH.fullmatch(s)]
    rest = [s for s in sources if s not in named]
    return bool(named) and all(s.lower() in _HARMLESS or _HOST.fullmatch(s) for s in rest)


def is_strict(policy: Policy) -> bool:
    """Whether injected script is kept from running: nonces or hashes, no object, no base.

    Refused are 'unsafe-inline', 'unsafe-eval', 'unsafe-hashes', wildcards and bare schemes.
    """
    scripts = [_sources(policy, "script-src", "default-src")]
    scripts += [policy[name] for name in ("script-src-elem", "script-src-attr") if name in policy]
    return (
        all(map(_stops_injected, scripts))
        and _is_none(_sources(policy, "object-src", "default-src"))
        and _is_none(_sources(policy, "base-uri"))
    )


def frame_ancestors(policies: Iterable[Policy]) -> frozenset[str] | None:
    """Who may frame the page after all policies: those named by each; None: nobody is refused.

    `'none'` is the empty set.
    """
    named: frozenset[str] | None = None
    for policy in policies:
        if "frame-ancestors" in policy:
            sources = policy["frame-ancestors"]
            own = frozenset() if _is_none(sources) else frozenset(map(str.lower, sources))
            named = own if named is None else named & own
    return named
