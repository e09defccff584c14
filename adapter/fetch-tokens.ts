/**
 * Everything that is live in one answer, for those who ask once.
 *
 * @module
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type ServerUnaryCall, status } from '@grpc/grpc-js'
import type { SotwRequestMessage } from '../proto/wire.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SotwBatches } from './sotw-batches.ts'
import type { Refusal } from './stream-shell.ts'

/** What gRPC clients take in one message unless they are told otherwise, less a little for what surrounds it. */
const answerBytesLimit = 4 * 2 ** 20 - 2 ** 16
const waitMs = 10
const waitLimitMs = 10_000

/** Each holds up to 4 MiB. */
const placesLimit = 4
const placeForMs = 300_000

/** A call of FetchTokens, as far as it is used. */
export type FetchCall = Pick<ServerUnaryCall<SotwRequestMessage, Buffer>, 'request' | 'cancelled' | 'once'>

/** Calls whose answers are made, or wait until somebody takes them. */
export interface FetchPlaces {
  /** Gives a call a place until it is over; returns why there is none. */
  take(call: Pick<FetchCall, 'once'>): Refusal | undefined
}

/**
 * Creates the places, all free. gRPC calls it `cancelled` when an answer was taken or nobody waits for it any more; of a
 * call that ended before it was handled it says nothing, so that a place is free again after five minutes in any case.
 */
export function createFetchPlaces(clock: Pick<Clock, 'after'>): FetchPlaces {
  const taken = new Set<object>()
  return {
    take: call => {
      if (taken.size >= placesLimit) return tooMany
      taken.add(call)
      const stopWaiting = clock.after(placeForMs, () => taken.delete(call))
      call.once('cancelled', () => {
        stopWaiting()
        taken.delete(call)
      })
      return undefined
    },
  }
}

const tooMany: Refusal = {
  code: status.RESOURCE_EXHAUSTED,
  details: `${placesLimit} such requests are under way; try again, or open a stream (StreamTokens)`,
}

/** The answer, encoded; it is made in small steps. */
export async function fetchTokens(
  batches: SotwBatches,
  isCancelled: () => boolean,
): Promise<Buffer | Refusal> {
  const { steps } = batches.full()
  const parts: Buffer[] = []
  let bytes = 0
  const giveUpAtMs = performance.now() + waitLimitMs
  while (!isCancelled()) {
    const step = steps.next().value
    // Encodings of messages, one behind the other, are an encoding of all they hold; the last nonce counts.
    if (step === undefined) return Buffer.concat(parts)
    if (step === 'waiting') {
      if (performance.now() > giveUpAtMs) return tooSlow
      await pause(waitMs)
    } else if (step === 'working') await nextTurn()
    else {
      parts.push(step.bytes)
      bytes += step.bytes.length
      if (bytes > answerBytesLimit) return tooLarge
    }
  }
  return { code: status.CANCELLED, details: 'cancelled' }
}

const tooSlow: Refusal = {
  code: status.UNAVAILABLE,
  details: 'the revoked tokens cannot be read from disk now; try again',
}

const tooLarge: Refusal = {
  code: status.RESOURCE_EXHAUSTED,
  details: 'the revoked tokens do not fit into one message of 4 MiB; open a stream (StreamTokens)',
}
