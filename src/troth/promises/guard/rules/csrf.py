"""Tokens that only a page of ours can have, for one browser and for a while.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, signed double submit cookie: the
token is a HMAC over what binds it (a cookie that no other host can set, by its prefix `__Host-`,
RFC 6265bis 4.1.3.2) and the moment it was made. Nothing is kept on the server.
"""

import hmac
from datetime import UTC, datetime, timedelta

from troth.kernel.request import Request
from troth.promises.guard.rules import tokens
from troth.promises.guard.rules.cookies import one
from troth.promises.guard.rules.tokens import Key, Keyring

SLUG = "csrf-token"
NAME = "troth-csrf"  # of the header and of the form field
COOKIE, SESSION = b"__Host-csrf", b"__Host-sid"
COOKIE_PURPOSE, TOKEN_PURPOSE, BOUND_PURPOSE = "csrf-cookie", "csrf", "csrf-bound"
BOUND_BYTES = 16


def bound(request: Request, ring: Keyring) -> str:
    """What a token is bound to: Troth's session, else the cookie that was made for it.

    Empty for neither, and for a cookie that is not ours.
    """
    session = one(request, SESSION)
    if session:
        return "sid " + session.decode("latin-1")
    token = one(request, COOKIE).decode("latin-1")
    opened = tokens.opened(ring, COOKIE_PURPOSE, token)
    return "csrf " + opened[1] if opened else ""


def made(ring: Keyring, to: str, now: datetime) -> str:
    """A token bound to that, good from now on."""
    payload = f"{int(now.timestamp()):x}.{_tag(ring.keys[0], to)}"
    return tokens.sealed(ring, TOKEN_PURPOSE, payload)


def fault(ring: Keyring, token: str, to: str, now: datetime, lasts: timedelta) -> str:
    """Why a token is not good; empty when it is."""
    if not token:
        return "missing"
    if not to:
        return "no-session"
    opened = tokens.opened(ring, TOKEN_PURPOSE, token)
    if opened is None:
        return "forged"
    key, payload = opened
    moment, _, tag = payload.partition(".")
    if not hmac.compare_digest(tag, _tag(key, to)):
        return "another-session"
    if not timedelta(0) <= now - datetime.fromtimestamp(int(moment, 16), UTC) < lasts:
        return "expired"
    return ""


def _tag(key: Key, to: str) -> str:
    return tokens.tag(key, BOUND_PURPOSE, to, BOUND_BYTES)
