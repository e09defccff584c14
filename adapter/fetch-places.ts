/**
 * Places for calls of FetchTokens: each holds its answer of up to 4 MiB until somebody has taken it.
 *
 * @module
 */
import { type ServerUnaryCall, status } from '@grpc/grpc-js'
import type { SotwRequestMessage } from '../proto/wire.ts'
import type { Refusal } from './stream-shell.ts'

/** A call of FetchTokens, as far as it is used. */
export type FetchCall = Pick<ServerUnaryCall<SotwRequestMessage, Buffer>, 'request' | 'cancelled' | 'once'>

/** A bounded number of places. */
export interface FetchPlaces {
  /** Gives a call a place until its answer was taken or nobody waits for it any more; returns why there is none. */
  take(call: Pick<FetchCall, 'once'>): Refusal | undefined
}

const placesLimit = 4

/**
 * Creates the places, all free. Who calls {@link FetchPlaces.take} sees to it that a call is handled only while it is not
 * over: otherwise gRPC says nothing of it any more (`liveCallsOnly`).
 */
export function createFetchPlaces(): FetchPlaces {
  let taken = 0
  return {
    take: call => {
      if (taken >= placesLimit) return tooMany
      taken += 1
      // Also said when an answer was taken.
      call.once('cancelled', () => {
        taken -= 1
      })
      return undefined
    },
  }
}

const tooMany: Refusal = {
  code: status.RESOURCE_EXHAUSTED,
  details: `${placesLimit} such requests are under way; try again, or open a stream (StreamTokens)`,
}
