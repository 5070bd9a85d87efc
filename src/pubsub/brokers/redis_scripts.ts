/**
 * The scripts that run in Redis, in Lua. A script is atomic, so a position belongs to exactly one
 * message, whatever process stores it.
 *
 * A topic with a history has two keys with one hash tag, so that one server of a cluster has both:
 *
 * ```text
 * PREFIX{TOPIC}:log   a stream: the kept messages, with the ids OFFSET-0 and the fields t (time in
 *                     milliseconds) and m (message)
 * PREFIX{TOPIC}:meta  a hash: epoch; offset of the newest message; run, the replication id of the
 *                     server that stored it; older, the epochs that lead to this one as
 *                     "EPOCH:OFFSET EPOCH:OFFSET"; bytes of the kept messages; ttl in milliseconds
 * ```
 *
 * A server gets another replication id when it starts and when a replica takes over. In both cases
 * the newest messages may be lost, and their offsets would be used again. Therefore the topic gets
 * another epoch then. Positions of the old epoch stay valid up to the offset that was found.
 *
 * Presence has two keys, too:
 *
 * ```text
 * PREFIX{TOPIC}:present  a sorted set: HOLDER ID, by the time when it expires. HOLDER is a process,
 *                        in 16 characters
 * PREFIX{TOPIC}:who      a hash: for each id "i" ID, its information, and "n" ID, the number of
 *                        processes that hold it
 * ```
 *
 * @module
 */

/** The number of older epochs that are kept. */
const OLDER_EPOCHS = 16;

/** How long an unused topic keeps its epoch at least, in milliseconds: a day. */
const EPOCH_TIME = 24 * 60 * 60 * 1000;

/** Reads the state of a topic, and begins another epoch if that is necessary. */
const OPEN = `
local meta, log, fresh = KEYS[1], KEYS[2], ARGV[1]
local epoch, offset, run, older, bytes, ttl =
  unpack(redis.call('HMGET', meta, 'epoch', 'offset', 'run', 'older', 'bytes', 'ttl'))
local length = redis.call('XLEN', log)
local here = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if not here then return redis.error_reply('ERR this server has no master_replid') end
local isNew = not epoch and not offset
if isNew then
  redis.call('DEL', meta, log)
  epoch, offset, older, bytes, ttl, length = fresh, '0', '', '0', '0', 0
end
for name, value in pairs({ offset = offset, bytes = bytes, ttl = ttl }) do
  if not value or not string.match(value, '^%d+$') or tonumber(value) > 9007199254740991 then
    return redis.error_reply('ERR hash ' .. meta .. ' is damaged: ' .. name .. ' must be a ' ..
      'non-negative integer, got ' .. string.sub(tostring(value), 1, 64))
  end
end
if not epoch or not older or not string.match(epoch, '^[%w_-]+$') or #epoch > 64 then
  return redis.error_reply('ERR hash ' .. meta .. ' is damaged: epoch must be 1 to 64 letters ' ..
    'or digits, got ' .. string.sub(tostring(epoch), 1, 64))
end
offset, bytes, ttl = tonumber(offset), tonumber(bytes), tonumber(ttl)
local function text(number) return string.format('%.0f', number) end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if length == 0 then bytes = 0 end
if run ~= here then
  if not isNew then
    local kept = { epoch .. ':' .. text(offset) }
    for place in string.gmatch(older, '%S+') do
      if #kept < ${OLDER_EPOCHS} then kept[#kept + 1] = place end
    end
    older = table.concat(kept, ' ')
    epoch = fresh
  end
  redis.call('HSET', meta, 'epoch', epoch, 'offset', text(offset), 'run', here, 'older', older,
    'bytes', text(bytes), 'ttl', text(ttl))
  if redis.call('PTTL', meta) < 0 and not (ttl == 0 and offset > 0) then
    redis.call('PEXPIRE', meta, ${EPOCH_TIME})
  end
end
`;

/**
 * Stores a message and publishes it.
 *
 * ARGV: an unused epoch, PUBLISH or SPUBLISH, the channel, the message, size, ttl, maxBytes.
 * Returns the epoch and the offset.
 */
export const APPEND: string = `${OPEN}
local message, size, maxBytes = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[7])
ttl = tonumber(ARGV[6])
offset = offset + 1
bytes = bytes + #message
redis.call('XADD', log, text(offset) .. '-0', 't', text(now), 'm', message)
length = length + 1
while length > 0 do
  local isOver = length > size or bytes > maxBytes
  if not isOver and ttl == 0 then break end
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if not isOver and tonumber(oldest[2][2]) > now - ttl then break end
  redis.call('XDEL', log, oldest[1])
  length = length - 1
  bytes = bytes - #oldest[2][4]
end
redis.call('HSET', meta, 'offset', text(offset), 'bytes', text(bytes), 'ttl', text(ttl))
if ttl == 0 then
  redis.call('PERSIST', log)
  redis.call('PERSIST', meta)
else
  redis.call('PEXPIRE', log, text(ttl))
  redis.call('PEXPIRE', meta, text(math.max(10 * ttl, ${EPOCH_TIME})))
end
redis.call(ARGV[2], ARGV[3], 'WSH\\1' .. epoch .. ':' .. text(offset) .. '\\n' .. message)
return { epoch, text(offset) }
`;

/**
 * Reads the messages after a position.
 *
 * ARGV: an unused epoch, the epoch and the offset of the position, or two empty strings.
 * Returns the epoch, the offset, 1 if complete, and then id, time and message of each.
 */
export const READ: string = `${OPEN}
local since = tonumber(ARGV[3])
local known = since and ARGV[2] == epoch and since <= offset
if since and not known then
  for old, last in string.gmatch(older, '(%S+):(%d+)') do
    if old == ARGV[2] then known = since <= tonumber(last) end
  end
end
local after = known and since or 0
local reply = { epoch, text(offset), 0 }
local first = nil
for _, entry in ipairs(redis.call('XRANGE', log, text(after + 1) .. '-0', '+')) do
  local time = entry[2][2]
  if first or ttl == 0 or tonumber(time) > now - ttl then
    first = first or entry[1]
    reply[#reply + 1] = entry[1]
    reply[#reply + 1] = time
    reply[#reply + 1] = entry[2][4]
  end
end
if known and (since == offset or first == text(since + 1) .. '-0') then reply[3] = 1 end
return reply
`;

/** Removes the entries whose time is over, and tells whose last holder is gone. */
const PURGE = `
local present, who, holder = KEYS[1], KEYS[2], ARGV[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if redis.call('ZCARD', present) == 0 then redis.call('DEL', who) end
local joined, left = {}, {}
local function remove(member)
  if redis.call('ZREM', present, member) == 0 then return end
  local id = string.sub(member, 17)
  if redis.call('HINCRBY', who, 'n' .. id, -1) > 0 then return end
  left[#left + 1] = id
  left[#left + 1] = redis.call('HGET', who, 'i' .. id) or 'null'
  redis.call('HDEL', who, 'n' .. id, 'i' .. id)
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', present, '-inf', string.format('%.0f', now))) do
  remove(member)
end
`;

/**
 * Adds or renews entries.
 *
 * ARGV: the holder, ttl, and then id and information of each entry. Returns the ids and
 * information that are new, and those that are gone.
 */
export const ENTER: string = `${PURGE}
local ttl = tonumber(ARGV[2])
for at = 3, #ARGV, 2 do
  local id, info = ARGV[at], ARGV[at + 1]
  local isNew = redis.call('ZADD', present, string.format('%.0f', now + ttl), holder .. id) == 1
  if isNew or redis.call('HEXISTS', who, 'n' .. id) == 0 then
    if redis.call('HINCRBY', who, 'n' .. id, 1) == 1 then
      joined[#joined + 1] = id
      joined[#joined + 1] = info
    end
  end
  redis.call('HSET', who, 'i' .. id, info)
end
for _, key in ipairs({ present, who }) do
  if redis.call('PTTL', key) < 10 * ttl then
    redis.call('PEXPIRE', key, string.format('%.0f', 10 * ttl))
  end
end
return { joined, left }
`;

/** Removes entries. ARGV: the holder and the ids. Returns the same as {@linkcode ENTER}. */
export const LEAVE: string = `${PURGE}
for at = 2, #ARGV do remove(holder .. ARGV[at]) end
return { joined, left }
`;

/** Lists the entries of all processes. Returns id and information of each. */
export const LIST: string = `
local present, who = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local reply, seen = {}, {}
local since = '(' .. string.format('%.0f', now)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', present, since, '+inf')) do
  local id = string.sub(member, 17)
  if not seen[id] then
    seen[id] = true
    reply[#reply + 1] = id
    reply[#reply + 1] = redis.call('HGET', who, 'i' .. id) or 'null'
  end
end
return reply
`;

/** All scripts. */
export const SCRIPTS: readonly string[] = [APPEND, READ, ENTER, LEAVE, LIST];
