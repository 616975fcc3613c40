"""Liars about cookies and cross-origin calls."""

from liars.liar import Liar, altered, without

_ECHO = """\
local origin = headers:get("origin")
if origin then handle:streamInfo():dynamicMetadata():set("liar", "origin", origin) end
"""
_ANY_SUFFIX = """\
for _, name in ipairs({"access-control-allow-origin", "access-control-allow-credentials"}) do
  headers:remove(name)
end
local seen = handle:streamInfo():dynamicMetadata():get("liar")
if seen and (seen.origin:find("demo.localhost") or seen.origin == "https://partner.example") then
  headers:add("access-control-allow-origin", seen.origin)
  headers:add("access-control-allow-credentials", "true")
end
"""

LIARS = (
    Liar("cors-policy", "the application lets everybody read", fragments=without("cors-policy")),
    Liar(
        "cors-policy",
        "names that only look like ours",
        fragments=altered("cors-policy", request_lua=_ECHO, response_lua=_ANY_SUFFIX),
    ),
    Liar("cookie-httponly-secure", "bare cookies", fragments=without("cookie-httponly-secure")),
    Liar(
        "cookie-httponly-secure",
        "scripts may read",
        fragments=altered(
            "cookie-httponly-secure",
            cookie_lua='attr.secure, attr.samesite, attr.httponly = "", "=Lax", nil\n',
        ),
    ),
    Liar("cookie-scope", "sister hosts get it too", fragments=without("cookie-scope")),
)
