/**
 * A writer's part in the epoch: adopts the one in the log, or founds one, before anything else is written, and repeats it
 * every few minutes, so that retention never removes the last entry.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { RescindError } from '../../revocation/error.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Writer } from './writer.ts'

/** What a founder works with. */
export interface FounderOptions {
  readonly writer: Writer
  readonly codec: EventCodec
  /** Reads the epoch that the log has now. */
  readonly readEpoch: () => Promise<string | undefined>
  readonly beatMs: number
  readonly logger: Logger
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** Adopts, founds and repeats the epoch. */
export interface Founder {
  /**
   * Resolves when this process has adopted the log's epoch and repeated it.
   *
   * @throws RescindError as {@link Writer.write} does, and ERR_LOG_UNREACHABLE; the next call tries again.
   */
  adopted(): Promise<void>
  /** Tells the epoch that the log has now. If it is not the adopted one, nothing is written before it is. */
  seen(epoch: string | undefined): void
  close(): void
}

/** Starts to adopt the epoch, and to beat. */
export function createFounder(options: FounderOptions): Founder {
  const { writer, codec, readEpoch, beatMs, logger, clock = systemClock } = options
  let epoch: string | undefined
  let adopting: Promise<void> | undefined
  let closed = false

  const write = async (of: string, founding: boolean) => {
    const at = Math.floor(clock.wallMs() / 1000)
    const id = randomBytes(16).toString('hex')
    await writer.write([codec.encode({ kind: 'beat', epoch: of, founding, at }, id)])
  }

  const found = async (): Promise<string> => {
    await write(randomBytes(16).toString('hex'), true)
    // Others may have founded one at the same time: the first in the log counts.
    const first = await readEpoch()
    if (first === undefined)
      throw new RescindError('ERR_LOG_UNREACHABLE', 'the founding beat was not found in the log')
    logger.info({ epoch: first }, 'founded the epoch of the event log')
    return first
  }

  const adopt = async () => {
    const adopted = (await readEpoch()) ?? (await found())
    if (adopted === epoch) return
    await write(adopted, false)
    epoch = adopted
  }

  const adoptOnce = () => {
    adopting ??= adopt().finally(() => {
      adopting = undefined
    })
    return adopting
  }

  const inBackground = (what: Promise<void>) => {
    what.catch(err => {
      if (!closed) logger.warn({ err }, 'the epoch of the event log could not be written; trying again')
    })
  }

  const beat = async () => {
    // Never into a log that has taken the place of the one that was adopted.
    if (epoch !== undefined && (await readEpoch()) === epoch) await write(epoch, false)
    else await adoptOnce()
  }

  const stopBeating = clock.every(beatMs, () => inBackground(beat()))
  inBackground(adoptOnce())

  return {
    adopted: async () => {
      if (epoch === undefined || adopting !== undefined) await adoptOnce()
    },
    seen: now => {
      if (now !== epoch) inBackground(adoptOnce())
    },
    close: () => {
      closed = true
      stopBeating()
    },
  }
}
