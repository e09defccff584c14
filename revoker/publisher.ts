/**
 * Turns what was decided into an event of the log: the one place where revocations are appended.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'
import { encodeEvent } from '../revocation/formats/rescind.ts'
import { matchKey } from '../revocation/key.ts'
import { checkRevocation, type Revocation } from '../revocation/revocation.ts'
import type { Logger } from '../runtime/logger.ts'

/** A revocation that was authenticated and is to be published. */
export type NewRevocation = Omit<Revocation, 'kind' | 'id' | 'revokedAt'> & { readonly actor: string }

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
      if (state.covers(key, times)) {
        return { position: state.position, id: undefined, expiresAt: times.expiresAt }
      }
      if (state.size >= options.revocationsLimit) throw limitReached(options.revocationsLimit, logger)
      const position = await log.append(encodeEvent(event))
      logger.info(
        { position, id: event.id, claims: set.names, cut: set.cut, actor: event.actor, reason: event.reason },
        'revoked',
      )
      return { position, id: event.id, expiresAt: times.expiresAt }
    },
  }
}

/**
 * Declares the longest token lifetime in the log, if it is longer than the one that stands there; it never shrinks.
 */
export async function declareLifetime(
  log: EventLog,
  follower: LogFollower,
  seconds: number,
  logger: Logger,
): Promise<void> {
  const { hasLifetime, lifetimes } = follower.state
  const declared = hasLifetime ? lifetimes.seconds : 0
  if (declared > seconds) {
    logger.warn(
      { declaredSeconds: declared, configuredSeconds: seconds },
      'tokens.maxTokenLifetime is shorter than what the log declares; the longer one holds',
    )
  }
  if (declared >= seconds) return
  const declaredAt = Math.floor(Date.now() / 1000)
  const position = await log.append(
    encodeEvent({ kind: 'token-lifetime', seconds, declaredAt }, randomBytes(16).toString('hex')),
  )
  await follower.reached(position)
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
