"""Which rules hold where, as the operator said: modes by route, and what single rules leave alone.

Browsers send a page's address, query and all, as the `Referer` of what the page loads from its own
origin. So an exclusion of a parameter covers the same parameter there, where the address is one of
its route: for the rule, and for those that ask the same of headers. All other rules see the whole
`Referer`, and these rules see the rest of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from troth.engines.seclang.model import Ruleset, Selector
from troth.kernel.request import Request
from troth.promises.guard.rules.origin import is_plain
from troth.promises.guard.rules.paths import Pattern, pattern, spelled
from troth.promises.guard.settings.waf import RuleMode, Rules

REFERER = Selector(collection="REQUEST_HEADERS", key="referer")
_OF_QUERY = frozenset({"ARGS", "ARGS_GET", "ARGS_NAMES", "ARGS_GET_NAMES"})
MAX_PAIRS = 100

Excluded = tuple[tuple[int, Selector], ...]


@dataclass(frozen=True, slots=True)
class _Exclusion:
    route: Pattern
    rule: int
    place: Selector


class Policy:
    """The operator's settings, ready to be asked request by request."""

    def __init__(self, rules: Rules, ruleset: Ruleset | None = None) -> None:
        """Raises ValueError for a pattern that cannot be read."""
        self._mode = rules.mode
        self._routes = tuple((pattern(route.path), route.mode) for route in rules.routes)
        self._exclusions = tuple(
            _Exclusion(pattern(each.path), each.rule, selector_of(each.parameter))
            for each in rules.exclusions
        )
        self._of_query = tuple(
            each for each in self._exclusions if each.place.collection in _OF_QUERY
        )
        self._twins = twins(ruleset, {each.rule for each in self._of_query}) if ruleset else {}

    def mode(self, request: Request) -> RuleMode:
        """What holds on this route: of the first that fits. A doubtful path has no route."""
        if not self._routes or not is_plain(request.path):
            return self._mode
        path = spelled(request.target)
        return next(
            (mode for route, mode in self._routes if route.match(path) is not None), self._mode
        )

    def excluded(self, request: Request) -> Excluded:
        """What single rules do not look at here; nothing on a path that is not plain."""
        if not self._exclusions or not is_plain(request.path):
            return ()
        path = spelled(request.target)
        return tuple(
            (each.rule, each.place)
            for each in self._exclusions
            if each.route.match(path) is not None
        )

    def looks(self, request: Request) -> Iterator[tuple[Request, Excluded]]:
        """The request as the rules are to look at it, one look after another; mostly there is one.

        Where its `Referer` holds an excluded parameter there are more: with the rules concerned
        looking away from the `Referer`, and for these alone without that parameter in it.
        """
        here = self.excluded(request)
        carried = self._carried(request) if self._of_query else {}
        away = {twins: tuple((rule, REFERER) for rule in sorted(twins)) for twins in carried}
        yield request, (*here, *(one for each in away.values() for one in each))
        for twins, referer in carried.items():
            others = (one for each in away if each != twins for one in away[each])
            rest = tuple(one for one in others if one[0] not in twins)
            yield _referred(request, referer), (*here, *rest)

    def _carried(self, request: Request) -> Mapping[frozenset[int], bytes]:
        """By rules: the `Referer` without what they leave alone on the page that it names."""
        own = own_page(request)
        if own is None:
            return {}
        start, page, query = own
        path, found = spelled(page), dict[frozenset[int], bytes]()
        for each in self._of_query:
            twins = self._twins.get(each.rule)
            if twins is None or each.route.match(path) is None:
                continue
            left = _without(found.get(twins, query), each.place)
            if left != found.get(twins, query):
                found[twins] = left
        return {twins: start + page + b"?" + left for twins, left in found.items()}


def own_page(request: Request) -> tuple[bytes, bytes, bytes] | None:
    """Origin, path and query of the page that its `Referer` names; None unless it is our own.

    None, too, where the path is doubtful, or where there is no query.
    """
    values = request.values(b"referer")
    scheme, mark, rest = values[0].partition(b"://") if len(values) == 1 else (b"", b"", b"")
    place, slash, target = rest.partition(b"/")
    page, _, query = (slash + target).partition(b"?")
    is_own = scheme.lower() in {b"https", b"http"} and place.lower() == request.host
    if not (is_own and query and is_plain(page)):
        return None
    return scheme + mark + place, page, query


def selector_of(place: str) -> Selector:
    """What a setting calls `ARGS:message`."""
    collection, _, key = place.partition(":")
    return Selector(collection=collection, key=key.lower())


def twins(ruleset: Ruleset, wanted: set[int]) -> Mapping[int, frozenset[int]]:
    """By rule: those that ask the same, itself among them."""
    asked = {rule.id: rule.links[0].operator for rule in ruleset.rules}
    return {
        rule: frozenset(
            {rule, *(other for other in asked if asked[rule] and asked[other] == asked[rule])}
        )
        for rule in wanted & set(asked)
    }


def _without(query: bytes, place: Selector) -> bytes:
    """The query without the value of a parameter, or without its name where that is excluded."""
    pairs = query.split(b"&", MAX_PAIRS)
    is_name = place.collection.endswith("NAMES")
    for at, pair in enumerate(pairs[:MAX_PAIRS]):
        name, mark, value = pair.partition(b"=")
        decoded = unquote_to_bytes(name.replace(b"+", b" ")).decode("latin-1").lower()
        if place.key and decoded == place.key:
            pairs[at] = mark + value if is_name else name + mark
    return b"&".join(pairs)


def _referred(request: Request, referer: bytes) -> Request:
    headers = tuple(
        (name, referer if name == b"referer" else value) for name, value in request.headers
    )
    return replace(request, headers=headers)
