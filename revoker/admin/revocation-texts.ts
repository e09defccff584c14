/**
 * What people want to know of a revocation (who, why, which claims): it is in the log alone, and read there again.
 *
 * @module
 */
import type { EventLog } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import { createGate } from '../../token/gate.ts'

/** Reads texts. */
export interface RevocationTexts {
  /**
   * The revocations at positions of the log, in their order; undefined what is not found there soon: nothing depends on
   * it. Takes two seconds at most.
   */
  at(positions: readonly (number | undefined)[]): Promise<readonly (Revocation | undefined)[]>
}

/** Where the texts are. */
export interface RevocationTextsOptions {
  readonly log: EventLog
  readonly state: LiveState
  readonly codec: EventCodec
}

const readLimitMs = 2_000
const readersLimit = 2
const waitingLimit = 64

/** Reads single entries of a log by the digests that the state remembers. */
export function createRevocationTexts(options: RevocationTextsOptions): RevocationTexts {
  const gate = createGate(readersLimit, waitingLimit)
  return {
    at: positions => {
      const signal = AbortSignal.timeout(readLimitMs)
      return Promise.all(
        positions.map(position =>
          gate
            .run(() => readAt(position, options, signal))
            .catch(error => {
              if (error instanceof RescindError) return undefined
              throw error
            }),
        ),
      )
    },
  }
}

async function readAt(
  position: number | undefined,
  { log, state, codec }: RevocationTextsOptions,
  signal: AbortSignal,
): Promise<Revocation | undefined> {
  const before = position === undefined ? undefined : state.before(position)
  if (before === undefined) return undefined
  for await (const [entry] of log.read(before, signal)) {
    const event = entry !== undefined && entry.position === position ? codec.decode(entry.event) : undefined
    return event?.kind === 'revocation' ? event : undefined
  }
  return undefined
}
