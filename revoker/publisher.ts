/**
 * Turns what was decided into an event of the log: the one place where revocations are appended.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { beforeFirst, type EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { keyText, matchKey } from '../revocation/key.ts'
import type { Times } from '../revocation/live-key.ts'
import { checkRevocation, type Revocation } from '../revocation/revocation.ts'
import type { Logger } from '../runtime/logger.ts'
import { confirmRead } from './log-end.ts'

/** A revocation that was authenticated and is to be published. */
export type NewRevocation = Omit<Revocation, 'kind' | 'id' | 'revokedAt'> & {
  readonly actor: string
  /** Only from sources that repeat themselves; random if absent. */
  readonly id?: string
}

/** What became of it. */
export interface Published {
  /** The version from which on it is enforced. */
  readonly position: number
  /** Id of the new revocation; absent if the log held all of it already, so that nothing was appended. */
  readonly id: string | undefined
  /** Seconds. */
  readonly expiresAt: number
}

/** What became of revocations that were published together. */
export interface Publication {
  /** In the order in which they were given. */
  readonly each: readonly Published[]
  /** The version from which on all of them are enforced. */
  readonly position: number
  /** Whether all of them are of single tokens by their jti: all that enforcers of Choreo Connect can be told. */
  readonly isByJti: boolean
}

/** Appends revocations to the log. */
export interface Publisher {
  /**
   * @throws RescindError ERR_REVOCATION_INVALID, ERR_CLAIM_SET_UNKNOWN, ERR_REVOCATIONS_LIMIT, or what the log
   *   throws; unless it is ERR_LOG_TIMEOUT, nothing was stored.
   */
  publish(revocation: NewRevocation): Promise<Published>
  /** Publishes all of them or none; as {@link publish} otherwise. At most 900 kB of events together. */
  publishAll(revocations: readonly NewRevocation[]): Promise<Publication>
}

/** What a publisher works on. */
export interface PublisherOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  /** Clock difference and tolerance for which expired revocations are kept, seconds. */
  readonly graceSeconds: number
  readonly revocationsLimit: number
  readonly logger: Logger
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Creates a publisher. */
export function createPublisher(options: PublisherOptions): Publisher {
  const publishAll = (revocations: readonly NewRevocation[]) => publishTogether(revocations, options)
  return {
    publishAll,
    publish: async revocation => (await publishAll([revocation])).each[0] as Published,
  }
}

/** A revocation on its way into the log. */
interface Prepared {
  readonly event: Revocation
  readonly names: readonly string[]
  readonly cut: boolean
  readonly key: Uint8Array
  readonly times: Times
}

async function publishTogether(
  revocations: readonly NewRevocation[],
  options: PublisherOptions,
): Promise<Publication> {
  const { follower } = options
  const now = options.nowSeconds()
  const all = revocations.map((revocation, index) =>
    revocations.length === 1
      ? prepare(revocation, now, options)
      : naming(index, () => prepare(revocation, now, options)),
  )
  const isHeld = ({ key, times }: Prepared) => follower.state.covers(key, times)
  // What restored it may not have been read yet; to append a repeat is harmless.
  const held = all.some(isHeld) && (await hasReadAll(options)) ? new Set(all.filter(isHeld)) : new Set()
  const heldAt = held.size > 0 ? await confirmRead(options) : -1
  const standIns = repeatsIn(all.filter(one => !held.has(one)))
  const missing = all.filter(one => !held.has(one) && !standIns.has(one))
  const positions = missing.length > 0 ? await append(missing, now, options) : []
  const positionOf = new Map(missing.map((one, index) => [one, positions[index] as number]))
  return {
    position: Math.max(heldAt, ...positions),
    isByJti: all.every(isByJti),
    each: all.map(one => {
      const appended = standIns.get(one) ?? one
      return {
        position: positionOf.get(appended) ?? heldAt,
        id: held.has(one) ? undefined : appended.event.id,
        expiresAt: one.times.expiresAt,
      }
    }),
  }
}

/** Those that say no more than one before them, and that one. */
function repeatsIn(all: readonly Prepared[]): ReadonlyMap<Prepared, Prepared> {
  const first = new Map<string, Prepared>()
  const repeats = new Map<Prepared, Prepared>()
  for (const one of all) {
    const before = first.get(keyText(one.key))
    if (before === undefined) first.set(keyText(one.key), one)
    else if (saysAsMuch(before, one)) repeats.set(one, before)
  }
  return repeats
}

const saysAsMuch = ({ times }: Prepared, other: Prepared): boolean =>
  times.expiresAt >= other.times.expiresAt && times.issuedBefore >= other.times.issuedBefore

/** Of several it is said which one is wrong. */
function naming<Result>(index: number, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    throw new RescindError(error.code, `revocations[${index}]: ${error.message}`)
  }
}

function prepare(revocation: NewRevocation, now: number, { follower }: PublisherOptions): Prepared {
  const event: Revocation = {
    kind: 'revocation',
    id: randomBytes(16).toString('hex'),
    ...revocation,
    revokedAt: Math.floor(now),
  }
  checkRevocation(event, now)
  const { set, key } = matchKey(event.match, event.issuedBefore !== undefined)
  if (!follower.state.admits(set)) throw unknownClaimSet(set.names)
  return { event, names: set.names, cut: set.cut, key, times: follower.state.timesOf(event) }
}

const isByJti = ({ names, cut }: Prepared): boolean =>
  !cut && names.includes('jti') && names.every(name => name === 'jti' || name === 'iss')

async function append(
  missing: readonly Prepared[],
  now: number,
  options: PublisherOptions,
): Promise<readonly number[]> {
  const { log, follower, codec, logger, revocationsLimit } = options
  for (const { times } of missing) checkKept(times.expiresAt, now, options)
  if (follower.state.size + missing.length > revocationsLimit) throw limitReached(revocationsLimit, logger)
  const positions = await log.appendAll(missing.map(({ event }) => codec.encode(event)))
  for (const [index, { event, names, cut }] of missing.entries()) {
    const { id, actor, reason } = event
    logger.info({ position: positions[index], id, claims: names, cut, actor, reason }, 'revoked')
  }
  return positions
}

/** Whether everything was read that is in the log now. */
async function hasReadAll({ log, follower }: PublisherOptions): Promise<boolean> {
  const { end } = await log.check(beforeFirst)
  return follower.state.position >= end
}

/** An entry must not go before what it revokes: the log's own clock may differ, and it forgets in large pieces. */
const keptMarginSeconds = 3_600

function checkKept(expiresAt: number, now: number, options: PublisherOptions): void {
  const { keptSeconds } = options.log
  const keptUntil = now + keptSeconds - keptMarginSeconds - options.graceSeconds
  if (expiresAt <= keptUntil) return
  throw new RescindError(
    'ERR_REVOCATION_INVALID',
    `expiresAt: the event log keeps entries for ${keptSeconds} s; give an earlier time (at most ${Math.floor(keptUntil)}) or raise the retention of its topic`,
  )
}

function unknownClaimSet(names: readonly string[]): RescindError {
  return new RescindError(
    'ERR_CLAIM_SET_UNKNOWN',
    `match: no enforcer looks at the claims ${names.join(' + ')} together; use a built-in claim set (docs/protocol.md), or declare it (POST /claim-sets)`,
  )
}

function limitReached(limit: number, logger: Logger): RescindError {
  logger.error({ limit }, 'revoker.maxRevocations is reached: revocations are refused')
  return new RescindError(
    'ERR_REVOCATIONS_LIMIT',
    `revoker.maxRevocations (${limit}) is reached; nothing was stored`,
  )
}
