/**
 * Appends that arrive together share one write: while a write is under way the next ones wait in line and then go
 * together. After a write of several the next one also begins a moment later than it could: each costs a flush, a page for
 * every reader and a message to every enforcer, whether it holds one event or fifty.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { withDeadline } from '../runtime/deadline.ts'
import { appendBytesLimit } from './event-log.ts'

/** Events that are stored all or none. */
export interface AppendGroup {
  readonly events: readonly Uint8Array[]
}

/** Writes groups durably in order, and gives the positions of each group's events. */
export type WriteGroups = (groups: readonly AppendGroup[]) => Promise<readonly (readonly number[])[]>

interface Waiting extends AppendGroup {
  readonly done: (positions: readonly number[]) => void
  readonly fail: (error: unknown) => void
}

/** Most groups in line, and most in one write. */
const waitingLimit = 20_000
const groupsPerWrite = 2_000
/** From the beginning of a write that held more than one group to the next, at least. Behind one that held one, nobody waits. */
const spacingMs = 5

const sizeOf = ({ events }: AppendGroup): number => events.reduce((sum, event) => sum + event.length, 0)

/** A line of groups before one writer. */
export interface AppendQueue {
  /**
   * @throws RescindError ERR_OVERLOADED when the line is full, ERR_LOG_TIMEOUT when it is not known in time
   *   whether the events were stored.
   */
  append(events: readonly Uint8Array[]): Promise<readonly number[]>
  /** Resolves when nothing is in line any more. */
  idle(): Promise<void>
}

/** Creates the line before `write`, which gets at most `appendBytesLimit` bytes at once. */
export function createAppendQueue(
  write: WriteGroups,
  timeoutMs: number,
  clock: Pick<Clock, 'monotonicMs' | 'sleep'> = systemClock,
): AppendQueue {
  const waiting: Waiting[] = []
  let draining: Promise<void> | undefined

  const writeNext = async () => {
    const groups = waiting.splice(0, countThatFit(waiting))
    try {
      const positions = await write(groups)
      groups.forEach((group, index) => {
        group.done(positions[index] as readonly number[])
      })
    } catch (error) {
      for (const group of groups) group.fail(error)
    }
    return groups.length
  }

  const drain = async () => {
    while (waiting.length > 0) {
      const dueAtMs = clock.monotonicMs() + spacingMs
      const written = await writeNext()
      const restMs = dueAtMs - clock.monotonicMs()
      if (written > 1 && restMs > 0 && waiting.length < groupsPerWrite) await clock.sleep(restMs)
    }
    draining = undefined
  }

  return {
    append: events => {
      if (waiting.length >= waitingLimit) {
        return Promise.reject(new RescindError('ERR_OVERLOADED', 'too many appends wait for the event log'))
      }
      const stored = new Promise<readonly number[]>((done, fail) => waiting.push({ events, done, fail }))
      draining ??= Promise.resolve().then(drain)
      return withTimeout(stored, timeoutMs)
    },
    idle: async () => {
      while (draining !== undefined) await draining
    },
  }
}

function countThatFit(waiting: readonly AppendGroup[]): number {
  let count = 0
  let bytes = 0
  for (const group of waiting) {
    bytes += sizeOf(group)
    if (count >= groupsPerWrite || (count > 0 && bytes > appendBytesLimit)) break
    count += 1
  }
  return count
}

const withTimeout = <Result>(stored: Promise<Result>, timeoutMs: number): Promise<Result> =>
  withDeadline(
    stored,
    timeoutMs,
    () =>
      new RescindError('ERR_LOG_TIMEOUT', 'the event log did not answer in time; it may have been stored'),
  )
