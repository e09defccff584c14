/**
 * What Redis does in one step: the Lua scripts, and functions that call them.
 *
 * A stream `{prefix}:log` has entries `<position>-0` with the fields p (previous digest), d (digest) and e (event); a
 * hash `{prefix}:meta` has the epoch, the last digest and the last position (end).
 *
 * @module
 */
import type { Redis } from 'ioredis'
import type { LogPosition } from '../event-log.ts'

/** The two keys; the prefix is a hash tag, so they share a cluster slot. */
export interface LogKeys {
  readonly log: string
  readonly meta: string
}

/** The keys below a prefix. */
export const keysOf = (prefix: string): LogKeys => ({ log: `{${prefix}}:log`, meta: `{${prefix}}:meta` })

/**
 * Everything is checked before the first write, so it is all or nothing. That first write changes nothing, but proves
 * the right to write the hash before an entry is there.
 */
const appendScript = `
local log, meta = KEYS[1], KEYS[2]
local known = redis.call('HMGET', meta, 'epoch', 'digest')
local epoch, digest, lastId = known[1], known[2], '0-0'
if redis.call('EXISTS', log) == 1 then
  local info = redis.call('XINFO', 'STREAM', log)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then lastId = info[at + 1] end
  end
else
  epoch = false
end
if not epoch or not digest then
  epoch, digest = ARGV[1], '0000000000000000'
end
local position = tonumber(string.match(lastId, '^%d+'))
if position > 9007199254740991 - (#ARGV - 1) then return lastId end
local first = position + 1
redis.call('HSET', meta, 'epoch', epoch)
for at = 2, #ARGV do
  local previous = digest
  local bytes = string.gsub(previous, '..', function(hex) return string.char(tonumber(hex, 16)) end)
  digest = string.sub(redis.sha1hex(bytes .. ARGV[at]), 1, 16)
  position = position + 1
  redis.call('XADD', log, string.format('%.0f-0', position), 'p', previous, 'd', digest, 'e', ARGV[at])
end
redis.call('HSET', meta, 'digest', digest, 'end', string.format('%.0f', position))
return first`

const digestAt = `
local function digestOf(entry)
  local fields = entry and entry[2] or {}
  if #fields == 6 and fields[1] == 'p' and fields[3] == 'd' and string.match(entry[1], '%-0$') then
    return fields[4]
  end
end
local function digestAt(log, position)
  return digestOf(redis.call('XRANGE', log, position .. '-0', position .. '-0')[1]) or false
end`

/** What a replica holds may be older, or of another log, than what its master does. */
const refuseReplica = `
local info = redis.pcall('INFO', 'replication')
if type(info) == 'string' and string.find(info, 'role:slave', 1, true) then
  return {err = 'READONLY this server has become a replica'}
end`

/** The first own entry is the first of all, or comes after few foreign ones; the search for it is limited. */
const checkScript = `${refuseReplica}${digestAt}
local log, meta, known = KEYS[1], KEYS[2], ARGV[1]
local found = redis.call('HMGET', meta, 'epoch', 'end')
if not found[1] or not found[2] or redis.call('EXISTS', log) == 0 then return {} end
local start, from, count = false, '-', 1
while not start and count <= 4096 do
  local entries = redis.call('XRANGE', log, from, '+', 'COUNT', count)
  for _, entry in ipairs(entries) do
    from = '(' .. entry[1]
    if not start and digestOf(entry) then start = string.match(entry[1], '^%d+') end
  end
  if #entries < count then break end
  count = count * 4
end
return {found[1], found[2], start, known ~= '' and digestAt(log, known)}`

const trimScript = `${digestAt}
local log, meta, before, known, digest = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2], ARGV[3]
if known ~= '' and digestAt(log, known) ~= digest then return 0 end
local last = tonumber(redis.call('HGET', meta, 'end') or '0')
redis.call('XTRIM', log, 'MINID', '=', string.format('%.0f-0', math.min(before, last)))
return 1`

/** The write changes nothing, but it is replicated, so that WAIT has something to wait for: older writes do not count. */
const confirmScript = `${refuseReplica}${digestAt}
local log, meta = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', meta, 'epoch')
if epoch and ARGV[1] == 'replicate' then redis.call('HSET', meta, 'epoch', epoch) end
local held = {}
for at = 2, #ARGV, 2 do
  held[#held + 1] = epoch and digestAt(log, ARGV[at]) == ARGV[at + 1] and 1 or 0
end
return held`

/**
 * Appends events in one step.
 *
 * @param epoch of the log if this append is its first.
 * @returns the position of the first event, the others follow it; or, when there are not so many positions left and
 *   nothing was appended, the last id of the stream.
 */
export const callAppend = async (
  client: Redis,
  keys: LogKeys,
  epoch: string,
  events: readonly Uint8Array[],
): Promise<number | string> =>
  (await client.eval(appendScript, 2, keys.log, keys.meta, epoch, ...events.map(asBuffer))) as number | string

/** What the log says of itself: digests as 16 hexadecimal digits, and the one at the known position, if it is there. */
export interface CheckReply {
  readonly epoch: string
  readonly end: number
  readonly start: number | undefined
  readonly digest: string | undefined
}

/** Reads the state in one step; undefined when nothing has been appended. */
export async function callCheck(
  client: Redis,
  keys: LogKeys,
  known: LogPosition,
): Promise<CheckReply | undefined> {
  const args = [keys.log, keys.meta, positionArgument(known)]
  const reply = (await client.eval(checkScript, 2, ...args)) as (string | null)[]
  const [epoch, end, start, digest] = reply
  if (!epoch || !end) return undefined
  return { epoch, end: Number(end), start: start ? Number(start) : undefined, digest: digest ?? undefined }
}

/**
 * Removes what comes before a position, but never the last own entry.
 *
 * @returns whether the log holds `known`; otherwise nothing was removed.
 */
export async function callTrim(
  client: Redis,
  keys: LogKeys,
  before: number,
  known: LogPosition,
): Promise<boolean> {
  const args = [String(before), positionArgument(known), hexOf(known.digest)]
  return (await client.eval(trimScript, 2, keys.log, keys.meta, ...args)) === 1
}

/**
 * Asks for positions in one step.
 *
 * @param isReplicated whether something is written that replicas must receive after them.
 * @returns for each position whether the log holds it.
 */
export async function callConfirm(
  client: Redis,
  keys: LogKeys,
  known: readonly LogPosition[],
  isReplicated: boolean,
): Promise<readonly boolean[]> {
  const args = known.flatMap(({ position, digest }) => [String(position), hexOf(digest)])
  const how = isReplicated ? 'replicate' : 'compare'
  const held = (await client.eval(confirmScript, 2, keys.log, keys.meta, how, ...args)) as number[]
  return held.map(one => one === 1)
}

/** A digest as the stream holds it: 16 hexadecimal digits. */
export const hexOf = (digest: bigint): string => digest.toString(16).padStart(16, '0')

/** Before the first entry there is nothing to compare. */
const positionArgument = ({ position }: LogPosition): string => (position < 0 ? '' : String(position))

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
