/**
 * What Redis does with grants in one step: Lua scripts. docs of the keys: redis-grants.ts; of a token: grant-records.ts.
 *
 * @module
 */

/** Raises the time at which a grant expires; the key goes with it. */
const keepUntil = `
local function keepUntil(grant, seconds)
  local known = tonumber(redis.call('HGET', grant, 'until') or '0')
  if seconds > known then
    redis.call('HSET', grant, 'until', string.format('%.0f', seconds))
    known = seconds
  end
  redis.call('PEXPIREAT', grant, string.format('%.0f000', known))
end`

/**
 * KEYS: the grant, its tokens. ARGV: id, owner, subject, scopes (both may be empty), when a token must have expired to be
 * forgotten, for how long one is kept after its expiry (seconds), the limit; then fingerprint and record of each token.
 *
 * Everything is checked before the first write. Expired tokens of a grant are removed now and then, when it has grown; of a
 * full one the refresh tokens (form 0) that expire first go.
 */
export const addScript = `${keepUntil}
local function expiryOf(record)
  local a, b, c, d = string.byte(record, 1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local function hasSealed(record)
  local high, low = string.byte(record, 6, 7)
  return #record > 7 + high * 256 + low
end
local function merged(known, record)
  if not known then return record end
  local later = expiryOf(known) > expiryOf(record) and known or record
  local body = hasSealed(record) and record or known
  return string.sub(later, 1, 4) .. string.sub(body, 5)
end
local grant, id, owner, expiredAt = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[5])
local known = redis.call('HMGET', grant, 'owner', 'subject', 'scopes', 'until', 'revoked')
if known[1] and known[1] ~= owner then return 'other-client' end
local records, added = {}, 0
for at = 2, #KEYS do
  local grantOfToken = redis.call('GET', KEYS[at])
  if grantOfToken and grantOfToken ~= id then return 'other-grant' end
  local fingerprint, record = ARGV[4 + 2 * at], ARGV[5 + 2 * at]
  local stored = redis.call('HGET', grant, fingerprint)
  if not stored then added = added + 1 end
  records[#records + 1] = {KEYS[at], fingerprint, merged(stored, record)}
end
local count = redis.call('HLEN', grant)
for at = 1, 5 do
  if known[at] then count = count - 1 end
end
if count % 16 == 15 or count + added > tonumber(ARGV[7]) then
  local fields = redis.call('HGETALL', grant)
  for at = 1, #fields, 2 do
    if #fields[at] == 16 and expiryOf(fields[at + 1]) <= expiredAt then
      redis.call('HDEL', grant, fields[at])
      count = count - 1
    end
  end
end
if count + added > tonumber(ARGV[7]) then
  local fields, own, refresh = redis.call('HGETALL', grant), {}, {}
  for _, token in ipairs(records) do own[token[2]] = true end
  for at = 1, #fields, 2 do
    local field, record = fields[at], fields[at + 1]
    if #field == 16 and string.byte(record, 5) == 0 and not own[field] then
      refresh[#refresh + 1] = {expiryOf(record), field}
    end
  end
  local excess = count + added - tonumber(ARGV[7])
  if #refresh < excess then return 'too-many-tokens' end
  table.sort(refresh, function(one, other) return one[1] < other[1] end)
  for at = 1, excess do redis.call('HDEL', grant, refresh[at][2]) end
end
redis.call('HSET', grant, 'owner', owner)
if ARGV[3] ~= '' then redis.call('HSET', grant, 'subject', ARGV[3]) end
if ARGV[4] ~= '' then redis.call('HSET', grant, 'scopes', ARGV[4]) end
for _, token in ipairs(records) do
  local key, fingerprint, record = token[1], token[2], token[3]
  local seconds = expiryOf(record) + tonumber(ARGV[6])
  redis.call('HSET', grant, fingerprint, record)
  redis.call('SET', key, id)
  redis.call('PEXPIREAT', key, string.format('%.0f000', seconds))
  keepUntil(grant, seconds)
end
return known[5] and 'stored-revoked' or 'stored'`

/** KEYS: the grant. ARGV: owner, until when it is remembered at least (seconds). Returns all that is stored of it. */
export const revokeScript = `${keepUntil}
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'revoked', '1')
keepUntil(KEYS[1], tonumber(ARGV[2]))
return redis.call('HGETALL', KEYS[1])`
