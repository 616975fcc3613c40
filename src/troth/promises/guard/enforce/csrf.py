"""Important actions need a token, on applications that have none.

On top of the origin check, which asks every request that may change something. The token stands in
the header `troth-csrf`, or in a field of that name in a form; no body is rewritten: the script that
the operator links adds it (`csrf_script`).

Fails closed: without keys no token can be right. A body that is not handed over (an upload) has no
field: there it is the header.
"""

import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from troth.kernel.request import (
    FINE,
    GuardCheck,
    GuardOwn,
    Headers,
    Known,
    Opinion,
    Refusal,
    Request,
    Response,
)
from troth.kernel.site import Site
from troth.promises.guard.enforce.csrf_script import SCRIPT
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules import csrf, fields, paths, tokens
from troth.promises.guard.rules.canary import TOKEN_LASTS, TOKEN_ROUTE
from troth.promises.guard.rules.csrf import COOKIE, NAME, SLUG
from troth.promises.guard.rules.origin import is_safe
from troth.promises.guard.settings.csrf import Csrf

FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
ASK = b"ask"  # what the header says when a page asks for a token
FRESH_ID_CHARACTERS = 32  # 128 bits in hex
_OWN = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SCRIPT = Response(
    status=200,
    headers=(
        (b"content-type", b"text/javascript; charset=utf-8"),
        (b"cache-control", b"public, max-age=3600"),
        *_OWN,
    ),
    body=SCRIPT.encode(),
)
_NO = Response(status=403, headers=((b"content-type", b"application/json"),), body=b"{}")


def checks(settings: Csrf, site: Site, secrets: Secrets) -> tuple[GuardCheck, ...]:
    """The check for these paths, and for a route below our prefix on which tokens soon expire.

    None where there are no paths. Raises ValueError for a bad path.
    """
    if not settings.paths:
        return ()
    canary = f"{site.prefix}{TOKEN_ROUTE}".encode()
    patterns = tuple(paths.pattern(path) for path in settings.paths)
    lasts = timedelta(seconds=settings.lasts_s)
    host = (urlsplit(site.app).hostname or "").encode()

    def check(request: Request, known: Known) -> Opinion:
        if is_safe(request.method) or request.host.partition(b":")[0] != host:
            return FINE
        is_canary = request.path == canary  # compared as sent, since nothing harmful is there
        path = paths.spelled(request.target)
        if not is_canary and all(pattern.match(path) is None for pattern in patterns):
            return FINE
        token, code = _token(request)
        to = csrf.bound(request, secrets.ring)
        code = code or csrf.fault(
            secrets.ring, token, to, known.now, min(lasts, TOKEN_LASTS) if is_canary else lasts
        )
        return Opinion(refusal=Refusal(slug=SLUG, code=code)) if code else FINE

    return (check,)


def _token(request: Request) -> tuple[str, str]:
    """The token that a request has, or why none can be told."""
    said = {value.decode("latin-1") for value in request.values(NAME.encode())}
    kinds = request.values(b"content-type")
    if request.body and len(kinds) == 1 and kinds[0].lower().startswith(FORMS):
        said |= set(fields.read(kinds[0], request.body).values(NAME))
    said.discard("")
    if len(said) > 1:
        return "", "two"
    return (said.pop() if said else ""), ""


def own(settings: Csrf, secrets: Secrets) -> dict[str, GuardOwn]:
    """What the guard answers below the prefix: the script, and tokens to pages that ask for one."""
    if not settings.paths or not secrets.ring:
        return {}

    def token(request: Request, now: datetime, fresh: str) -> Response:
        return _given(request, now, fresh, settings, secrets)

    return {"csrf.js": lambda *_: _SCRIPT, "csrf": token}


def _given(
    request: Request, now: datetime, fresh: str, settings: Csrf, secrets: Secrets
) -> Response:
    """A token for a page of ours.

    Only to who says our header, which a page of another origin may not send, and not to a browser
    that says that the page is another origin's.
    """
    sites = request.values(b"sec-fetch-site")
    is_ours = all(site == b"same-origin" for site in sites)
    if request.method != b"GET" or request.values(NAME.encode()) != [ASK] or not is_ours:
        return _NO
    ring = secrets.ring
    to = csrf.bound(request, ring)
    cookie: Headers = ()
    if not to:
        if len(fresh) != FRESH_ID_CHARACTERS:
            raise ValueError("128 bits in hex")
        sealed = tokens.sealed(ring, csrf.COOKIE_PURPOSE, fresh)
        to = f"csrf {fresh}"
        flags = "Path=/; Secure; HttpOnly; SameSite=Strict"
        cookie = ((b"set-cookie", f"{COOKIE.decode()}={sealed}; {flags}".encode()),)
    said = {"token": csrf.made(ring, to, now), "lasts_s": settings.lasts_s}
    return Response(
        status=200,
        headers=(
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            *_OWN,
            *cookie,
        ),
        body=json.dumps(said).encode(),
    )
