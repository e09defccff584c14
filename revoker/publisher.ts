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
import { matchKey } from '../revocation/key.ts'
import { checkRevocation, type Revocation } from '../revocation/revocation.ts'
import type { Logger } from '../runtime/logger.ts'

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

/** Appends revocations to the log. */
export interface Publisher {
  /**
   * @throws RescindError ERR_REVOCATION_INVALID, ERR_CLAIM_SET_UNKNOWN, ERR_REVOCATIONS_LIMIT, or what the log
   *   throws; unless it is ERR_LOG_TIMEOUT, nothing was stored.
   */
  publish(revocation: NewRevocation): Promise<Published>
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
  const { log, follower, logger } = options
  return {
    async publish(revocation) {
      const now = options.nowSeconds()
      const event: Revocation = {
        kind: 'revocation',
        id: randomBytes(16).toString('hex'),
        ...revocation,
        revokedAt: Math.floor(now),
      }
      checkRevocation(event, now)
      const { state } = follower
      const { set, key } = matchKey(event.match, event.issuedBefore !== undefined)
      if (!state.admits(set)) throw unknownClaimSet(set.names)
      const times = state.timesOf(event)
      // What restored it may not have been read yet; to append a repeat is harmless.
      const isHeld = () => state.covers(key, times)
      if (isHeld() && (await hasReadAll(options)) && isHeld()) {
        // What was read may never have been acknowledged: a repeat must not make it look as if it had been.
        const { position, digest } = state
        await log.confirm({ position, digest })
        return { position, id: undefined, expiresAt: times.expiresAt }
      }
      checkKept(times.expiresAt, now, options)
      if (state.size >= options.revocationsLimit) throw limitReached(options.revocationsLimit, logger)
      const position = await log.append(options.codec.encode(event))
      logger.info(
        { position, id: event.id, claims: set.names, cut: set.cut, actor: event.actor, reason: event.reason },
        'revoked',
      )
      return { position, id: event.id, expiresAt: times.expiresAt }
    },
  }
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
    `match: no enforcer looks at the claims ${names.join(' + ')} together; use a built-in claim set (docs/protocol.md)`,
  )
}

function limitReached(limit: number, logger: Logger): RescindError {
  logger.error({ limit }, 'revoker.maxRevocations is reached: revocations are refused')
  return new RescindError(
    'ERR_REVOCATIONS_LIMIT',
    `revoker.maxRevocations (${limit}) is reached; nothing was stored`,
  )
}
