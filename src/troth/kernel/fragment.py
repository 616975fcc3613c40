"""A fragment: a part of the edge's configuration that keeps one promise.

Areas write fragments, the compiler (`troth.enforce.envoy`) joins them. Leaving one out breaks its
promise and what rests on it and nothing else: the compiler itself keeps no promise. A liar is an
edge compiled with one fragment altered or missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["replace", "append", "if-absent"]


@dataclass(frozen=True, slots=True)
class Header:
    """A response header that the edge writes.

    Several fragments may write the same header: their values are joined by `; ` in order, as the
    directives of one Content-Security-Policy are.

    Args:
        name: in lower case.
        value: without line breaks; `%` stands for itself.
        action: what happens to a header of that name that the application sent: it is replaced,
            kept beside ours, or kept instead of ours.
        amends: this value takes the place of what fragments before it wrote under that name; left
            out where none did (a longer lifetime of a header that another promise is about).
        only_tls: not on answers over plain HTTP.
    """

    name: str
    value: str
    action: Action = "replace"
    amends: bool = False
    only_tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What the edge needs to keep one promise. Everything but the slug may be empty.

    Args:
        promise: the slug.
        own: headers of Troth's own pages, of error pages and of all that the edge answers itself.
        application: headers of what the application answers.
        removed: headers that the application may not send (names in lower case).
        routes: Envoy routes of the application's host that are tried before the application.
        plain_routes: Envoy routes of the plain-HTTP listener.
        filters: Envoy's HTTP filters of the TLS listeners, tried before a body is read or a guard
            is asked.
        denials: what the details of an answer begin with (letters and `_`) when one of those
            filters refused; such an answer says which promise did.
        tls: fields of Envoy's `TlsParameters`; without any the edge takes whatever Envoy can do.
        is_tls_only: the TLS port answers nothing that is not TLS.
        request_lua: statements that see `headers` (of the request to the application), `handle`.
        response_lua: statements that see `headers` (of the application's answer), `handle`.
        cookie_lua: statements for each cookie that the application sets; they see `name`, `attr`
            (attributes by lower-case name: `""` or `"=value"`) and may set `drop = true`.
    """

    promise: str
    own: tuple[Header, ...] = ()
    application: tuple[Header, ...] = ()
    removed: tuple[str, ...] = ()
    routes: tuple[Mapping[str, Any], ...] = ()
    plain_routes: tuple[Mapping[str, Any], ...] = ()
    filters: tuple[Mapping[str, Any], ...] = ()
    denials: tuple[str, ...] = ()
    tls: Mapping[str, Any] = field(default_factory=dict)
    is_tls_only: bool = False
    request_lua: str = ""
    response_lua: str = ""
    cookie_lua: str = ""
