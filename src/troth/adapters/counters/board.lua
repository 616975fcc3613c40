-- Lines on a board that everybody reads: each under a name, until it ends; each change is told.
-- KEYS: lines by name, names by their end, what was told.
-- ARGV: put, set or drop; the name; the line that is told; its end in milliseconds since 1970; how
-- many lines there may be.
-- `put` never makes shorter what is there. Answers 1 when something changed.
local lines, ends, told = KEYS[1], KEYS[2], KEYS[3]
local what, name, line, until_ms, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local had = redis.call('ZSCORE', ends, name)
if what == 'drop' then
  if not had then return 0 end
  redis.call('HDEL', lines, name)
  redis.call('ZREM', ends, name)
else
  if what == 'put' and had and tonumber(had) >= until_ms then return 0 end
  redis.call('HSET', lines, name, line)
  redis.call('ZADD', ends, until_ms, name)
end
redis.call('XADD', told, 'MAXLEN', '~', 10000, '*', 'l', line)
local time = redis.call('TIME')
local gone = redis.call('ZRANGEBYSCORE', ends, '-inf', time[1] * 1000, 'LIMIT', 0, 10)
if #gone == 0 and redis.call('ZCARD', ends) > most then gone = redis.call('ZRANGE', ends, 0, 0) end
for _, each in ipairs(gone) do
  redis.call('HDEL', lines, each)
  redis.call('ZREM', ends, each)
end
return 1
