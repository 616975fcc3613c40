-- Takes from every counter that has room (GCRA), then reads and marks trails; all at one moment.
-- KEYS: the counters, then the trails that ARGV names by their place among KEYS.
-- ARGV: how many counters; three words for each: microseconds of one request, of a full burst, how
-- many this one is; then steps on trails, four words each:
--   r key - -             read it
--   b key - -             read when this memory began; it begins now where it had not
--   a key member window   mark it: milliseconds for which the mark is of interest
--   u key member most     take marks of that member away (of all where it is empty), newest first
-- Answers three numbers for each counter: microseconds by which it is over (0 or less: it is not),
-- microseconds until it is empty, how many more may come at once. Where there are steps: these
-- numbers, the moment, and for each that reads its marks as "moment member", oldest first.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local count = tonumber(ARGV[1])
local said = {}
if count > 0 then
  local known = redis.call('MGET', unpack(KEYS, 1, count))
  local mine = {}
  for i = 1, count do
    local key, step, cost = KEYS[i], tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i + 1])
    local full = now + tonumber(ARGV[3 * i])
    local had = mine[key] or tonumber(known[i] or 0) or 0
    local at = math.min(math.max(had, now), full)
    local over = at + step * math.max(cost, 1) - full
    local is_taken = cost > 0 and over <= 0
    if is_taken then at = at + step * cost end
    if is_taken or had > full then
      mine[key] = at
      redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1)
    end
    said[3 * i - 2], said[3 * i - 1], said[3 * i] = over, at - now, math.floor((full - at) / step)
  end
end
if #ARGV == 3 * count + 1 then return said end

local MAX_MARKS = 256 -- on one trail, as in the guard's own memory; the oldest goes first

local function at_of(mark) return tonumber(string.match(mark, '^%d+')) end

local function add(key, member, window)
  redis.call('RPUSH', key, string.format('%.0f %s', now, member))
  local first = redis.call('LINDEX', key, 0)
  while at_of(first) <= now - window * 1000 do
    redis.call('LPOP', key)
    first = redis.call('LINDEX', key, 0)
  end
  redis.call('LTRIM', key, -MAX_MARKS, -1)
  if redis.call('PTTL', key) < window then redis.call('PEXPIRE', key, window) end
end

local function undo(key, member, most)
  local ttl = redis.call('PTTL', key)
  if ttl <= 0 then return end
  local marks, kept = redis.call('LRANGE', key, 0, -1), {}
  local left = most > 0 and most or MAX_MARKS
  for i = #marks, 1, -1 do
    local whose = string.match(marks[i], '^%d+ (.*)$')
    if left > 0 and (member == '' or whose == member) then
      left = left - 1
    else
      table.insert(kept, 1, marks[i])
    end
  end
  if #kept == #marks then return end
  redis.call('DEL', key)
  if #kept > 0 then
    redis.call('RPUSH', key, unpack(kept))
    redis.call('PEXPIRE', key, ttl)
  end
end

local read = {}
for at = 3 * count + 2, #ARGV, 4 do
  local step, key, member, number = ARGV[at], KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], tonumber(ARGV[at + 3])
  if step == 'r' then
    read[#read + 1] = redis.call('LRANGE', key, 0, -1)
  elseif step == 'b' then
    redis.call('SET', key, string.format('%.0f ', now), 'NX')
    read[#read + 1] = {redis.call('GET', key)}
  elseif step == 'a' then
    add(key, member, number)
  else
    undo(key, member, number)
  end
end
return {said, string.format('%.0f', now), read}
