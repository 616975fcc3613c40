"""Judges of the cookies that leave the edge."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement
from troth.promises.edge.judge.facts import count, rate
from troth.promises.edge.rules.cookies import Cookie, is_named, parse_cookie
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

HOST_PREFIX = "__host-"  # Source: RFC 6265bis, 4.1.3.2; browsers compare without letter case


class Cookies(Struct, frozen=True):
    """What the cookie probes bring.

    Args:
        set_cookie: each Set-Cookie field of the application with its value blanked.
        asked: on how many routes a cookie was asked for.
    """

    set_cookie: list[str]
    asked: int


def _cookies(facts: Mapping[str, Any]) -> list[Cookie]:
    seen = shaped(facts, Cookies)
    if seen.asked < 1:
        raise Unseen("no route that sets a cookie is named: [edge.probe] cookie")
    parsed = [parse_cookie(value) for value in seen.set_cookie]
    cookies = [cookie for cookie in parsed if cookie is not None]
    if not cookies:
        raise Unseen("the application set no cookie to look at")
    return cookies


@judging
def flags(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """Secure, HttpOnly and SameSite on every cookie; exceptions are those the operator names.

    `[edge.cookies] readable` may go without HttpOnly, `cross_site` may say SameSite=None.
    """
    cookies = _cookies(facts)
    return rate(
        count(not _is_guarded(cookie, settings) for cookie in cookies),
        len(cookies),
        "cookies lack Secure, HttpOnly or SameSite",
        "cookies carry Secure, HttpOnly and SameSite",
    )


def _is_guarded(cookie: Cookie, settings: EdgeSettings) -> bool:
    allowed = settings.cookies
    site = cookie.attributes.get("samesite", "").lower()
    sites = {"lax", "strict"} | ({"none"} if is_named(cookie.name, allowed.cross_site) else set())
    return (
        "secure" in cookie.attributes
        and ("httponly" in cookie.attributes or is_named(cookie.name, allowed.readable))
        and site in sites
    )


@judging
def scope(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """No Domain on any cookie, and `__Host-` exactly as the prefix demands.

    A cookie with any Domain returns to sister hosts too (RFC 6265bis, 5.1.3), so none may have
    one. Its Path is the application's to say; without one a browser takes the page's folder.
    """
    cookies = _cookies(facts)
    return rate(
        count(not _is_narrow(cookie) for cookie in cookies),
        len(cookies),
        "cookies reach beyond the service's own host",
        "cookies return to the service's own host only",
    )


def _is_narrow(cookie: Cookie) -> bool:
    is_host = cookie.name.lower().startswith(HOST_PREFIX)
    return cookie.is_host_only and (not is_host or cookie.path == "/")
