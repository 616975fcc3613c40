"""All fragments as one: header sets joined, Lua in order, TLS parameters put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from troth.kernel.fragment import Fragment, Header


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What the compiler works with; the fields are those of `Fragment`, of all of them."""

    own: tuple[Header, ...]
    application: tuple[Header, ...]
    removed: tuple[str, ...]
    routes: tuple[Mapping[str, Any], ...]
    plain_routes: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]
    denials: tuple[tuple[str, str], ...]  # with the promise that refused
    tls: Mapping[str, Any]
    is_tls_only: bool
    request_lua: tuple[str, ...]
    response_lua: tuple[str, ...]
    cookie_lua: tuple[str, ...]


def merge(fragments: Sequence[Fragment]) -> Merged:
    """Join fragments in order. A later one's TLS parameters win."""
    tls: dict[str, Any] = {}
    for each in fragments:
        tls |= each.tls
    return Merged(
        own=headers(header for each in fragments for header in each.own),
        application=headers(header for each in fragments for header in each.application),
        removed=tuple(dict.fromkeys(name for each in fragments for name in each.removed)),
        routes=tuple(route for each in fragments for route in each.routes),
        plain_routes=tuple(route for each in fragments for route in each.plain_routes),
        filters=tuple(one for each in fragments for one in each.filters),
        denials=tuple((detail, each.promise) for each in fragments for detail in each.denials),
        tls=tls,
        is_tls_only=any(each.is_tls_only for each in fragments),
        request_lua=tuple(each.request_lua for each in fragments if each.request_lua),
        response_lua=tuple(each.response_lua for each in fragments if each.response_lua),
        cookie_lua=tuple(each.cookie_lua for each in fragments if each.cookie_lua),
    )


def headers(given: Iterable[Header]) -> tuple[Header, ...]:
    """One header for each name: values of the same name joined by `; `, amendments applied."""
    found: dict[str, Header] = {}
    for each in given:
        before = found.get(each.name)
        if before is None:
            if not each.amends:
                found[each.name] = each
        elif each.amends:
            found[each.name] = replace(before, value=each.value)
        else:
            # The stricter action: what one fragment must replace is replaced.
            action = "replace" if "replace" in (before.action, each.action) else before.action
            value = f"{before.value}; {each.value}"
            found[each.name] = replace(before, value=value, action=action)
    return tuple(found.values())


def on_plain_http(given: tuple[Header, ...]) -> tuple[Header, ...]:
    """The headers that may stand on an answer over plain HTTP."""
    return tuple(each for each in given if not each.only_tls)
