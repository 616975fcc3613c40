"""The generated Lua: what a header set cannot say. At most 60 lines, however many fragments.

Each fragment's statement runs by itself: where one fails, Envoy's log says so and the others act.
Cookies are taken out before they are repaired, so a failure loses them and never passes them bare.
"""

from troth.enforce.envoy.merged import Merged

MAX_LINES = 60

# Set-Cookie is taken apart and put together again (RFC 6265, 5.2): the first part is the pair, the
# others are attributes, of which the last of a name counts; a comma (as in Expires) is an ordinary
# character. Attributes that no browser knows are left out.
_COOKIES = """\
local known = "path domain expires max-age priority partitioned secure httponly samesite"
local function cookie(text)
  local pair, attr, drop = text:match("^[^;]*"), {}, false
  local name = pair:match("^%s*([^=]-)%s*=") or ""
  for key, v in text:gmatch(";%s*([^=;]*)([^;]*)") do attr[key:lower():match("^(.-)%s*$")] = v end
{steps}
  for k in known:gmatch("%S+") do pair = pair .. (attr[k] and "; " .. k .. attr[k] or "") end
  return not drop and pair or nil
end
"""
_EACH_COOKIE = """\
if not headers:get("set-cookie") then return end
local sent, count = {}, headers:getNumValues("set-cookie")
for i = 1, count do sent[i] = headers:getAtIndex("set-cookie", i - 1) end
headers:remove("set-cookie")
for _, text in ipairs(sent) do
  text = cookie(text)
  if text then headers:add("set-cookie", text) end
end
"""
# The steps are made once, not for each answer: LuaJIT compiles no function that makes functions.
_TRY = """\
local function try(handle, headers, step)
  local done, why = pcall(step, handle, headers)
  return done or handle:logErr(tostring(why))
end
"""


def script(merged: Merged) -> str:
    """The filter's source; empty when no fragment needs one.

    Raises ValueError when it would be longer than `MAX_LINES`.
    """
    text = ""
    response = list(merged.response_lua)
    if merged.cookie_lua:
        text += _COOKIES.replace("{steps}\n", _indented("".join(_lines(merged.cookie_lua))))
        response.insert(0, _EACH_COOKIE)
    if merged.request_lua or response:
        text += _TRY
    text += _function("envoy_on_request", merged.request_lua)
    text += _function("envoy_on_response", tuple(response))
    if text.count("\n") > MAX_LINES:
        raise ValueError(f"the generated Lua has {text.count(chr(10))} lines, {MAX_LINES} at most")
    return text


def _function(name: str, statements: tuple[str, ...]) -> str:
    if not statements:
        return ""
    steps, calls = "", []
    for at, each in enumerate(statements):
        step = f"{name.removeprefix('envoy_')}_{at}"
        steps += f"local function {step}(handle, headers) {_indented(each).strip()} end\n"
        calls.append(f"try(handle, headers, {step})")
    body = f"  local headers = handle:headers()\n  {'; '.join(calls)}\n"
    return f"{steps}function {name}(handle)\n{body}end\n"


def _lines(statements: tuple[str, ...]) -> list[str]:
    return [each if each.endswith("\n") else each + "\n" for each in statements]


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
