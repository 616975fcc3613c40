"""The third generated Lua: on routes that opted in, an answer waits until the guard has read it.

A filter before the router, off but where a route turns it on. The application is asked for an
uncompressed answer; one that is text, says how long it is and fits is held whole, told to the guard
(`answers.Answers`) and let go, or replaced by the guard's page. Of all others only the headers are
told: streams, compressed bodies, pieces without a declared length, what is longer than the cap. A
connection that becomes another (a WebSocket) is not looked at.

Closed where no guard answers, or this script fails: the visitor gets 503 and a page of ours. On
routes that fail open the answer goes out as it is. The route says so by its context (`opens`).

What is kept of the application's headers on a page of ours is what the edge itself has set; no
cookie, no redirect. A HEAD gets the headers alone.
"""

import json
import re
from collections.abc import Iterable, Mapping

from troth.enforce.answers import ASKED, PAGE, SAID, STREAMS, TARGET, TEXT
from troth.enforce.envoy.replies import PAGES, RETRY_AFTER_S, TO_TRY_AGAIN, page
from troth.engines.envoy.resources import Json, http_filter, typed
from troth.kernel.request import CLIENT

NAME = "troth.leaks"
CLUSTER = "guard-leaks"
NEXT = "guard-leaks-next"  # the same guards, the last first: that one is put aside is known late

_SCRIPT = """\
local KEPT, HTML, PROBLEM = <kept>, <html>, <problem>
local WANTED = ":method :path :authority accept accept-language <client>"
local function plain(name) return (name:gsub("^:", "")) end
function envoy_on_request(handle)
  local headers, asked = handle:headers(), {}
  if headers:get("upgrade") then return end
  for name in WANTED:gmatch("%S+") do asked["<a>" .. plain(name)] = headers:get(name) end
  headers:replace("accept-encoding", "identity")
  handle:streamInfo():dynamicMetadata():set("<name>", "asked", asked)
end
local function left(headers, method, status)
  if method == "HEAD" or status == "204" or status == "304" then return nil, true end
  local kind, coding = (headers:get("content-type") or ""):lower(), headers:get("content-encoding")
  local size = tonumber(headers:get("content-length") or "")
  for stream in ("<streams>"):gmatch("%S+") do
    if kind:sub(1, #stream) == stream then return "stream", true end
  end
  if coding and coding:lower() ~= "identity" then return "encoded", true end
  if not size then return "pieces", true elseif size > <cap> then return "long", true end
  for text in ("<text>"):gmatch("%S+") do if kind:find(text, 1, true) then return end end
  return nil, kind ~= ""
end
local function look(handle, asked)
  local headers, text, is_unread = handle:headers(), "", false
  local told = {[":method"] = "POST", [":path"] = "<target>", [":authority"] = "guard"}
  for name, value in pairs(asked) do told[name] = value end
  for name, value in pairs(headers) do
    local list = told["<r>" .. plain(name)] or {}
    list[#list + 1], told["<r>" .. plain(name)] = value, list
  end
  told.left, is_unread = left(headers, asked["<a>method"], headers:get(":status"))
  if told.left == "stream" then return handle:httpCall("<cluster>", told, "", <wait>, true) end
  local body = not is_unread and handle:body()
  if body then text = body:getBytes(0, body:length()) end
  for _, cluster in ipairs({"<cluster>", "<next>"}) do
    local answer, said = handle:httpCall(cluster, told, text, <wait>)
    if answer[":status"] == "200" then return answer.status and answer, said end
  end
  error("no guard looked at an answer")
end
function envoy_on_response(handle)
  local known = handle:streamInfo():dynamicMetadata():get("<name>")
  if not known or handle:headers():get(":status") == "101" then return end
  local done, answer, text = pcall(look, handle, known.asked)
  if not done then
    handle:logErr(tostring(answer))
    if handle:filterContext():get("opens") then return end
    local is_json = (known.asked["<a>accept"] or ""):find("json")
    answer, text = is_json and PROBLEM or HTML, is_json and PROBLEM.text or HTML.text
  end
  if not answer then return end
  local headers, names = handle:headers(), {}
  for name in pairs(headers) do names[#names + 1] = name end
  for _, name in ipairs(names) do if not KEPT[name] then headers:remove(name) end end
  headers:replace(":status", answer.status)
  for name, value in pairs(answer) do
    if name:sub(1, 2) == "<p>" then headers:replace(name:sub(3), value) end
  end
  if known.asked["<a>method"] ~= "HEAD" then handle:body(true):setBytes(text) end
end
"""


def script(*, kept: Iterable[str], most_bytes: int, wait_ms: int, prefix: str) -> str:
    """The filter's source; 60 lines at most.

    Args:
        kept: names of the headers that the edge sets on the application's answers.
        most_bytes: of a body that is held.
        wait_ms: for the guard's word; where it does not come, the next guard is asked as long.
        prefix: below which Troth answers, for the page's style.
    """
    ((status, title, sentence),) = (row for row in PAGES if row[0] == TO_TRY_AGAIN)
    problem = json.dumps({"title": title, "status": status, "detail": sentence}) + "\n"
    html = page(title, sentence, status, prefix=prefix)
    filled = {
        "kept": _table(dict.fromkeys((":status", "date", *map(str.lower, kept)), "1")),
        "html": _gone(status, "text/html; charset=utf-8", html),
        "problem": _gone(status, "application/problem+json", problem),
        "client": CLIENT.decode(),
        "name": NAME,
        "a": ASKED.decode(),
        "r": SAID.decode(),
        "p": PAGE.decode(),
        "target": TARGET.decode(),
        "streams": " ".join(each.decode() for each in STREAMS),
        "text": " ".join(each.decode() for each in TEXT),
        "cluster": CLUSTER,
        "next": NEXT,
        "cap": str(most_bytes),
        "wait": str(wait_ms),
    }
    return re.sub(r"<([a-z]+)>", lambda found: filled[found[1]], _SCRIPT)


def filter_of(source: str) -> Json:
    """The filter, off but where a route turns it on (`on`)."""
    code = {"inline_string": source}
    return http_filter("lua", "lua.v3.Lua", default_source_code=code) | {
        "name": NAME,
        "disabled": True,
    }


def on(*, opens: bool = False) -> Json:
    """A route's configuration of the filter, by its name; `opens`: without a guard it goes out."""
    message = "extensions.filters.http.lua.v3.LuaPerRoute"
    return {NAME: typed(message, filter_context={"opens": opens})}


def _gone(status: int, kind: str, text: str) -> str:
    """What is said where nobody could look."""
    own = {"content-type": kind, "retry-after": str(RETRY_AFTER_S), "cache-control": "no-store"}
    named = {PAGE.decode() + name: value for name, value in own.items()}
    return _table({"status": str(status), "text": text, **named})


def _table(pairs: Mapping[str, str]) -> str:
    inner = ",".join(f"[{_quoted(name)}]={_quoted(value)}" for name, value in pairs.items())
    return "{" + inner + "}"


def _quoted(text: str) -> str:
    """A Lua string: its escapes are the decimal numbers of bytes."""
    plain = re.compile(r"[\w .,;:=/+-]", re.ASCII)
    return (
        '"'
        + "".join(
            each if plain.fullmatch(each) else "".join(f"\\{byte:03d}" for byte in each.encode())
            for each in text
        )
        + '"'
    )
