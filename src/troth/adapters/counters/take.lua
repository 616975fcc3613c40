-- Takes from every counter in KEYS that has room (GCRA), all at one moment, and says how each stands.
-- ARGV, three for each key: microseconds of one request, of a full burst; how many this one is.
-- Answers, three for each key: microseconds by which it is over (0 or less: it is not), microseconds
-- until it is empty, how many more may come at once.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known = redis.call('MGET', unpack(KEYS))
local mine, said = {}, {}
for i, key in ipairs(KEYS) do
  local step, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i])
  local full = now + tonumber(ARGV[3 * i - 1])
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
return said
