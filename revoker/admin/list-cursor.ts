/**
 * The cursor of a list: the position of the log to go on from, with its digest, so that another log is noticed.
 *
 * @module
 */
import { beforeFirst, type LogPosition } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'

/** A cursor as text without meaning for others. */
export const cursorOf = ({ position, digest }: LogPosition): string =>
  Buffer.from(`${position}.${digest.toString(16)}`).toString('base64url')

/**
 * The place that a cursor names; without one the beginning.
 *
 * @throws RescindError ERR_CURSOR_INVALID
 */
export function placeOf(cursor: string | undefined): LogPosition {
  if (cursor === undefined) return beforeFirst
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const [, position, digest] = /^(\d{1,16})\.([0-9a-f]{1,16})$/.exec(text) ?? []
  if (digest !== undefined && Number.isSafeInteger(Number(position))) {
    return { position: Number(position), digest: BigInt(`0x${digest}`) }
  }
  throw new RescindError('ERR_CURSOR_INVALID', 'cursor: not one that a list has given')
}
