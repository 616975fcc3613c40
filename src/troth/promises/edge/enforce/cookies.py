"""The application's cookies, repaired on their way out."""

import string
from collections.abc import Iterable

from troth.kernel.fragment import Fragment
from troth.promises.edge.settings import Cookies

# Names that only Troth may set on the application's host, in lower case.
RESERVED = r"^__host%-sid$", r"^__host%-csrf$", r"^__host%-known$", r"^__host%-troth"


def flags(settings: Cookies) -> Fragment:
    """Secure always, HttpOnly but for those scripts must read, SameSite but for those set apart."""
    readable, crossing = _list(settings.readable), _list(settings.cross_site)
    return Fragment(
        promise="cookie-httponly-secure",
        cookie_lua=f"""\
local function is_in(list)
  for _, each in ipairs(list) do
    local stem = each:match("^(.*)%*$")
    if name == each or (stem and name:sub(1, #stem) == stem) then return true end
  end
end
local is_readable, may_cross = is_in({readable}), is_in({crossing})
local site = (attr.samesite or ""):lower():match("^=%s*(%a*)") or ""
local is_kept = site == "lax" or site == "strict" or (site == "none" and may_cross)
attr.secure, attr.httponly = "", not is_readable and "" or attr.httponly
attr.samesite = is_kept and attr.samesite or "={settings.same_site}"
""",
    )


def scope() -> Fragment:
    """This host only: no Domain, none of Troth's names, and no clearing of Troth's own cookies.

    A cookie without a name is sent back as its bare value, so `=__Host-sid=x` would pass for one
    of ours (RFC 6265bis, 5.7): it is dropped.
    """
    tests = " or ".join(f'lower:find("{pattern}")' for pattern in RESERVED)
    return Fragment(
        promise="cookie-scope",
        removed=("clear-site-data",),
        cookie_lua=f"""\
local lower = name:lower()
attr.domain = nil
if name == "" or {tests} then drop = true end
""",
    )


def _list(names: Iterable[str]) -> str:
    """A Lua list of names."""
    return "{" + ", ".join(quoted(name) for name in names) + "}"


def quoted(text: str) -> str:
    """A Lua string on one line; every byte that is not plain is written by its number."""
    plain = (string.ascii_letters + string.digits + "-_.~:/").encode()
    inside = (chr(byte) if byte in plain else f"\\{byte:03d}" for byte in text.encode())
    return f'"{"".join(inside)}"'
