/**
 * One step of following a log: an entry's bytes into the live state. Nothing that a log holds can stop a reader.
 *
 * @module
 */
import { RescindError } from './error.ts'
import { type EventCodec, UnknownEventType } from './formats/rescind.ts'
import type { LiveState } from './live-state.ts'
import type { LogEvent } from './revocation.ts'

/** What became of an entry: it has taken effect, or it is a dead letter. */
export type Applied =
  | { readonly event: LogEvent; readonly problem?: undefined; readonly unknownType?: undefined }
  | {
      readonly event?: undefined
      readonly problem: string
      /** The event's type, if only a later version can know it. */
      readonly unknownType?: string
    }

/** Applies an entry. One that cannot be understood is passed, and `problem` says why. */
export function applyEntry(
  state: LiveState,
  position: number,
  digest: bigint,
  bytes: Uint8Array,
  codec: EventCodec,
): Applied {
  try {
    const event = codec.decode(bytes)
    const reason = state.apply(position, digest, event)
    return reason === undefined ? { event } : { problem: reason }
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    if (state.position < position) state.advance(position, digest)
    if (error instanceof UnknownEventType) return { problem: error.message, unknownType: error.type }
    return { problem: error.message }
  }
}
