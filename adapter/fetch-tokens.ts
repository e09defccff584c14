/**
 * Everything that is live in one answer, for those who ask once.
 *
 * @module
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import type { SotwBatches } from './sotw-batches.ts'
import type { Refusal } from './stream-shell.ts'

/** What gRPC clients take in one message unless they are told otherwise, less a little for what surrounds it. */
const answerBytesLimit = 4 * 2 ** 20 - 2 ** 16
const waitMs = 10
const waitLimitMs = 10_000

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
