"""The second generated Lua: it tells the guard what the application answered, where it waits.

Only answers to requests that the guard gave a name (`AWAITED`) are looked at; the name is taken
off before the application sees it. Where the header alone is wanted, or the body is short and says
how long it is, the answer waits for the guard's word (half a second at most): so the failure
is counted before the visitor knows of it, and a cookie can be set with the answer itself. A body
that comes in pieces goes on as it comes; its beginning is told afterwards, asynchronously.

A filter of its own, because a script that waits must not hold up or break the one that repairs
cookies (`lua`); it stands outside of it, so that what the guard sets is not repaired away.
"""

from troth.enforce.awaited import MAX_BODY_BYTES, READS_BODY
from troth.kernel.request import AWAITED

WAIT_MS, TELL_MS = 500, 2000
CLUSTER = "guard-seen-"  # and the guard's index

SCRIPT = f"""\
local function try(handle, step)
  local done, why = pcall(step)
  return done or handle:logErr(tostring(why))
end
function envoy_on_request(handle)
  local headers = handle:headers()
  local name = headers:get("{AWAITED.decode()}")
  if not name then return end
  headers:remove("{AWAITED.decode()}")
  try(handle, function()
    handle:streamInfo():dynamicMetadata():set("troth.awaited", "name", name)
  end)
end
local function beginning(handle)
  local text = ""
  for piece in handle:bodyChunks() do
    text = text .. piece:getBytes(0, math.min(piece:length(), {MAX_BODY_BYTES} - #text))
    if #text >= {MAX_BODY_BYTES} then break end
  end
  return text
end
local function tell(handle, guard, name, wants)
  local headers = handle:headers()
  local told = {{[":method"] = "POST", [":path"] = "/" .. name, [":authority"] = "guard"}}
  told.status, told.location = headers:get(":status"), headers:get("location")
  local size, cluster = tonumber(headers:get("content-length") or ""), "{CLUSTER}" .. guard
  local text = ""
  if wants and not headers:get("content-encoding") then
    if not size or size > {MAX_BODY_BYTES} then
      return handle:httpCall(cluster, told, beginning(handle), {TELL_MS}, true)
    end
    local body = handle:body()
    text = body and body:getBytes(0, body:length()) or ""
  end
  local answer = handle:httpCall(cluster, told, text, {WAIT_MS})
  local cookie = answer and answer["set-cookie"]
  if cookie then handle:headers():add("set-cookie", cookie) end
end
function envoy_on_response(handle)
  local awaited = handle:streamInfo():dynamicMetadata():get("troth.awaited")
  local guard, name = (awaited and awaited.name or ""):match("^(%d%d?)%.(%x+{READS_BODY}?)$")
  if not guard then return end
  try(handle, function() tell(handle, guard, name, name:sub(-1) == "{READS_BODY}") end)
end
"""
