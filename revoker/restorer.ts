/**
 * Takes revocations back: appends a restoration, never edits. The one place where restorations are appended.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { RescindError } from '../revocation/error.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { keyText } from '../revocation/key.ts'
import { singlesLimit } from '../revocation/live-key.ts'
import type { Restoration } from '../revocation/revocation.ts'
import type { RevocationPlace } from '../revocation/revocation-name.ts'
import type { Logger } from '../runtime/logger.ts'
import { confirmRead, type FollowedLog, readToEnd } from './log-end.ts'

/** A restoration that was authenticated and is to be published. */
export interface NewRestoration extends RevocationPlace {
  readonly actor: string
  readonly reason?: string
}

/** What became of it. */
export interface Restored {
  /** The version from which on it is in force. */
  readonly position: number
  /** When the revocation would have expired, seconds. */
  readonly expiresAt: number
  /** It was restored before; nothing was appended. */
  readonly already: boolean
}

/** Appends restorations to the log. */
export interface Restorer {
  /**
   * Restores a revocation; one that was restored before stays so.
   *
   * @throws RescindError ERR_REVOCATION_UNKNOWN if there is none, or it has expired; ERR_REVOCATION_MERGED if it cannot
   *   be told apart any more; or what the log throws.
   */
  restore(restoration: NewRestoration): Promise<Restored>
}

/** What a restorer works on. */
export interface RestorerOptions extends FollowedLog {
  readonly codec: EventCodec
  readonly clockToleranceSeconds: number
  readonly logger: Logger
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Creates a restorer. */
export const createRestorer = (options: RestorerOptions): Restorer => ({
  restore: restoration => restore(restoration, options),
})

async function restore(restoration: NewRestoration, options: RestorerOptions): Promise<Restored> {
  const known = lookUp(restoration, options)
  if (known !== undefined) return known
  // Another revoker may have appended it a moment ago.
  await readToEnd(options)
  const found = lookUp(restoration, options)
  if (found !== undefined) return found
  throw notFound(restoration, options)
}

/** Restores what is held, or was restored already; undefined if it is not known. */
function lookUp(restoration: NewRestoration, options: RestorerOptions): Promise<Restored> | undefined {
  const { state } = options.follower
  const { id } = restoration
  const times = liveKey(restoration, options)?.find(id)?.times
  if (times !== undefined && times.expiresAt > options.nowSeconds() - options.clockToleranceSeconds) {
    return append(restoration, times.expiresAt, options)
  }
  const restored = state.restorations.get(id)
  return restored && confirmRestored(restored.until, options)
}

async function append(
  { id: target, key, actor, reason }: NewRestoration,
  expiresAt: number,
  { log, codec, logger, nowSeconds }: RestorerOptions,
): Promise<Restored> {
  const event: Restoration = {
    kind: 'restoration',
    id: randomBytes(16).toString('hex'),
    target,
    key,
    expiresAt,
    restoredAt: Math.floor(nowSeconds()),
    actor,
    ...(reason === undefined ? {} : { reason }),
  }
  const position = await log.append(codec.encode(event))
  logger.info({ position, id: target, actor, reason }, 'restored')
  return { position, expiresAt, already: false }
}

async function confirmRestored(expiresAt: number, options: RestorerOptions): Promise<Restored> {
  return { position: await confirmRead(options), expiresAt, already: true }
}

const liveKey = ({ key }: RevocationPlace, { follower }: RestorerOptions) =>
  follower.state.live(keyText(Buffer.from(key, 'hex')))

function notFound(restoration: NewRestoration, options: RestorerOptions): RescindError {
  if (liveKey(restoration, options)?.merged === undefined) {
    const message = 'no revocation with this id is live; it may have expired'
    return new RescindError('ERR_REVOCATION_UNKNOWN', message)
  }
  return new RescindError(
    'ERR_REVOCATION_MERGED',
    `more than ${singlesLimit} revocations of the same claims are live; those beyond are kept as one and cannot be restored: they end when the last of them expires`,
  )
}
