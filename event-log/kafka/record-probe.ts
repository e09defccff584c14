/**
 * Reads single records afresh, beside the readers, so that a check neither disturbs nor waits for them. Between two
 * questions its consumer waits in the batch of the last one, alive by heartbeats and without a fetch.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import type { LogEntry } from '../event-log.ts'
import type { KafkaConnectionOptions } from './client.ts'
import type { Fetched } from './continuity.ts'
import { type PartitionConsumer, startPartitionConsumer } from './partition-consumer.ts'
import { entryOf } from './record.ts'

/** Reads single records. */
export interface RecordProbe {
  /**
   * The entry at a position below the log's end; undefined if there is none at it.
   *
   * @throws RescindError ERR_LOG_UNREACHABLE without an answer within ten seconds.
   */
  entryAt(position: number): Promise<LogEntry | undefined>
  close(): Promise<void>
}

interface Question {
  readonly position: number
  fetches: number
  readonly answer: (entry: LogEntry | undefined) => void
  readonly fail: (error: unknown) => void
}

const answerTimeoutMs = 10_000

/** A fetch from elsewhere may have been under way when the question came; after a second one there is nothing here. */
const fetchesLimit = 2

/** Creates a probe; it connects at the first question. */
export function createRecordProbe(connection: KafkaConnectionOptions, topic: string): RecordProbe {
  let consumer: PartitionConsumer | undefined
  let question: Question | undefined
  let askNext: () => void = () => undefined
  let closed = false
  let turn: Promise<unknown> = Promise.resolve()

  /** Answers with what is at the position; a fetch from elsewhere makes the consumer seek once more. */
  const answer = (asked: Question, fetched: Fetched | undefined) => {
    asked.fetches += 1
    const isFromThere = fetched?.from === asked.position
    if (!isFromThere && asked.fetches < fetchesLimit) return consumer?.seek(asked.position)
    const entry = isFromThere && fetched.records[0] ? entryOf(fetched.records[0]) : undefined
    asked.answer(entry?.position === asked.position ? entry : undefined)
    question = undefined
  }

  /** Nothing comes from a consumer that was closed, so there is one at a time. */
  const stop = async () => {
    const stopped = consumer
    consumer = undefined
    const closing = stopped?.close()
    askNext()
    await closing
  }

  const start = () => {
    const started = startPartitionConsumer({
      connection,
      topic,
      fetchBytes: 1,
      onJoined: () => {
        if (question !== undefined) started.seek(question.position)
      },
      onFetched: async fetched => {
        if (question !== undefined) answer(question, fetched)
        if (question !== undefined) return
        await new Promise<void>(resolve => {
          askNext = resolve
        })
      },
      // They are no entries, and where they begin is not told: as a fetch from elsewhere.
      onControlRecords: () => {
        if (question !== undefined) answer(question, undefined)
      },
      onFailed: error => {
        if (question === undefined) void stop()
        else question.fail(error)
      },
    })
    return started
  }

  const ask = async (position: number): Promise<LogEntry | undefined> => {
    if (closed) throw noAnswer(topic)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((answer, fail) => {
        question = { position, fetches: 0, answer, fail }
        timer = setTimeout(() => fail(noAnswer(topic)), answerTimeoutMs)
        if (consumer === undefined) consumer = start()
        else {
          consumer.seek(position)
          askNext()
        }
      })
    } catch (error) {
      question = undefined
      void stop()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    entryAt: position => {
      const asked = turn.then(() => ask(position))
      turn = asked.catch(() => undefined)
      return asked
    },
    close: async () => {
      closed = true
      question?.fail(noAnswer(topic))
      await stop()
    },
  }
}

const noAnswer = (topic: string) =>
  new RescindError('ERR_LOG_UNREACHABLE', `the Kafka topic ${topic} did not answer a read`)
