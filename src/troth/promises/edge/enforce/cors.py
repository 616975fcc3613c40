"""Which other origins may read the application's answers from a browser."""

import re

from troth.kernel.fragment import Fragment
from troth.promises.edge.enforce.cookies import quoted
from troth.promises.edge.settings import Cors

PREFLIGHT_S = 600  # Chromium caps it at 7200 s; ten minutes let a change of mind arrive
APPLICATIONS_OWN = (
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "timing-allow-origin",
)
_METADATA = "troth.cors"


def policy(settings: Cors) -> Fragment:
    """Named origins only; what the application says of others is taken away.

    Preflights (Fetch Standard, 4.8) are answered at the edge, so that the application never sees
    one; an origin that is not named gets an answer without permission.
    """
    if not settings.origins:
        return Fragment(
            promise="cors-policy", removed=APPLICATIONS_OWN, routes=(_preflight([], None),)
        )
    allowed = _origin_is("|".join(re.escape(origin) for origin in settings.origins))
    granted = [_preflight([allowed], settings, path) for path in settings.paths]
    origins = ", ".join(f"[{quoted(origin)}] = true" for origin in settings.origins)
    paths = ", ".join(quoted(path) for path in settings.paths)
    removed = ", ".join(quoted(name) for name in APPLICATIONS_OWN)
    credentials = (
        'if cors then headers:add("access-control-allow-credentials", "true") end\n'
        if settings.credentials
        else ""
    )
    return Fragment(
        promise="cors-policy",
        # The script writes what the route would remove after it; so the script removes as well.
        routes=(*granted, _preflight([], None)),
        request_lua=f"""\
local origin, path, near = headers:get("origin"), headers:get(":path"), false
for _, prefix in ipairs({{{paths}}}) do near = near or path:sub(1, #prefix) == prefix end
if near and ({{{origins}}})[origin or ""] then
  handle:streamInfo():dynamicMetadata():set("{_METADATA}", "origin", origin)
end
""",
        response_lua=f"""\
for _, name in ipairs({{{removed}}}) do headers:remove(name) end
local cors = handle:streamInfo():dynamicMetadata():get("{_METADATA}")
headers:add("vary", "Origin")
if cors then headers:add("access-control-allow-origin", cors.origin) end
{credentials}""",
    )


def _origin_is(pattern: str) -> dict[str, object]:
    return {"name": "origin", "string_match": {"safe_regex": {"regex": pattern}}}


def _preflight(
    also: list[dict[str, object]], settings: Cors | None, path: str = "/"
) -> dict[str, object]:
    """A route for preflights; without settings it grants nothing."""
    is_preflight = [
        {"name": ":method", "string_match": {"exact": "OPTIONS"}},
        {"name": "origin", "present_match": True},
        {"name": "access-control-request-method", "present_match": True},
        *also,
    ]
    granted: list[tuple[str, str]] = [("vary", "Origin")]
    if settings is not None:
        granted += [
            ("access-control-allow-origin", "%REQ(ORIGIN)%"),
            ("access-control-allow-methods", ", ".join(settings.methods)),
            ("access-control-allow-headers", ", ".join(settings.headers)),
            ("access-control-max-age", str(PREFLIGHT_S)),
        ]
        if settings.credentials:
            granted.append(("access-control-allow-credentials", "true"))
    return {
        "match": {"prefix": path, "headers": is_preflight},
        "direct_response": {"status": 204},
        "response_headers_to_add": [
            {
                "header": {"key": name, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for name, value in granted
        ],
    }
