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
  let turn: Promise<unknown> = Promise.resolve()

  const answer = (asked: Question, { from, records }: Fetched): boolean => {
    const entry = records[0] && entryOf(records[0])
    const isThere = from === asked.position && entry?.position === asked.position
    asked.fetches += 1
    if (from !== asked.position && asked.fetches < fetchesLimit) return false
    asked.answer(isThere ? entry : undefined)
    return true
  }

  const onFetched = async (fetched: Fetched) => {
    const asked = question
    if (asked !== undefined && !answer(asked, fetched)) return consumer?.seek(asked.position)
    question = undefined
    await new Promise<void>(resolve => {
      askNext = resolve
    })
  }

  const stop = async () => {
    const stopped = consumer
    consumer = undefined
    askNext()
    await stopped?.close()
  }

  const start = () => {
    const started = startPartitionConsumer({
      connection,
      topic,
      fetchBytes: 1,
      onJoined: () => {
        if (question !== undefined) started.seek(question.position)
      },
      onFetched,
      onFailed: error => {
        if (question === undefined) void stop()
        else question.fail(error)
      },
    })
    return started
  }

  const ask = async (position: number): Promise<LogEntry | undefined> => {
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
      question?.fail(noAnswer(topic))
      await stop()
    },
  }
}

const noAnswer = (topic: string) =>
  new RescindError('ERR_LOG_UNREACHABLE', `the Kafka topic ${topic} did not answer a read`)
