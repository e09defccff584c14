/**
 * Whether what is fetched next follows what was read last. Whenever that is in doubt the last position is fetched again
 * and compared before anything newer counts: kafkajs hides leader changes, reconnects and failed fetches, and after "offset
 * out of range" begins somewhere else by itself. A topic that was made anew between two fetches is not seen here, but by
 * the log's epoch: see epoch.ts.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { beforeFirst, type LogEntry, type LogPosition } from '../event-log.ts'
import { entryOf, type KafkaRecord, leaderEpochOf } from './record.ts'

/** What one fetch brought. */
export interface Fetched {
  /** The offset that was asked for. */
  readonly from: number
  /** The last offset that it covers, control records included. */
  readonly through: number
  /** At least one. */
  readonly records: readonly KafkaRecord[]
}

/** Watches one reader. */
export interface Continuity {
  /** The last entry that was accepted. */
  readonly last: LogPosition
  /** Everything up to here was read, though not every position has an entry. */
  readonly passed: number
  /** Something happened after which the last position must be compared, such as a new connection or a repeated fetch. */
  doubt(): void
  /** Where to begin after the place in the log was lost; undefined: at its start. */
  resumeAt(): number | undefined
  /**
   * The new entries of a fetch; undefined if it does not count, and `last.position` must be fetched before.
   *
   * @throws RescindError ERR_LOG_ROLLED_BACK if the last position is not there any more, or another record is.
   */
  accept(fetched: Fetched): readonly LogEntry[] | undefined
  /**
   * Passes control records, which are nobody's entries.
   *
   * @throws RescindError ERR_LOG_ROLLED_BACK if they are where the last position should be.
   */
  pass(through: number): void
}

/** Begins after a position. */
export function createContinuity(after: LogPosition): Continuity {
  let last = after
  let passed = after.position
  let leaderEpoch: number | undefined
  let doubtful = false
  let comparing = false

  const compare = ({ from, records }: Fetched) => {
    const [again, ...rest] = records
    const entry = again && entryOf(again)
    const isSame = entry?.position === last.position && entry.digest === last.digest
    if (from !== last.position || !isSame) throw rolledBack(last)
    comparing = false
    return rest
  }

  const isAtStart = () => last.position === beforeFirst.position
  const follows = ({ from, records }: Fetched) =>
    isAtStart() || (!doubtful && from === passed + 1 && leaderEpochOf(records[0]) === leaderEpoch)

  return {
    get last() {
      return last
    },
    get passed() {
      return passed
    },
    doubt: () => {
      doubtful = true
    },
    resumeAt: () => {
      comparing = !isAtStart()
      return comparing ? last.position : undefined
    },
    accept: fetched => {
      if (!comparing && !follows(fetched)) {
        // Kept, so that this leader's records are accepted once the last position was compared under it.
        leaderEpoch = leaderEpochOf(fetched.records[0])
        comparing = true
        doubtful = false
        return undefined
      }
      const records = comparing ? compare(fetched) : fetched.records
      const entries = records.map(entryOf)
      doubtful = false
      if (entries.length > 0) leaderEpoch = leaderEpochOf(records.at(-1))
      else leaderEpoch ??= leaderEpochOf(fetched.records[0])
      last = entries.at(-1) ?? last
      passed = fetched.through
      return entries
    },
    pass: through => {
      if (comparing) throw rolledBack(last)
      passed = through
    },
  }
}

/** ERR_LOG_ROLLED_BACK: the log does not hold this position any more. */
export const rolledBack = ({ position }: LogPosition): RescindError =>
  new RescindError('ERR_LOG_ROLLED_BACK', `what the topic holds does not follow position ${position}`)
