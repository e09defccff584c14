/** When what Kafka gives is believed to follow what was read before, and when the last position is compared first. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { beforeFirst, type LogPosition } from '../../event-log/event-log.ts'
import { createContinuity, type Fetched } from '../../event-log/kafka/continuity.ts'
import { entryOf, type KafkaRecord } from '../../event-log/kafka/record.ts'

const record = (offset: number, leaderEpoch = 0, text = `event ${offset}`): KafkaRecord => ({
  offset: String(offset),
  key: null,
  value: Buffer.from(text),
  timestamp: '1000',
  attributes: 0,
  headers: {},
  batchContext: { partitionLeaderEpoch: leaderEpoch },
})

const fetched = (...records: KafkaRecord[]): Fetched => ({
  from: Number(records[0]?.offset),
  through: Number(records.at(-1)?.offset),
  records,
})

const positions = (entries: readonly LogPosition[] | undefined) => entries?.map(({ position }) => position)
const rolledBack = { code: 'ERR_LOG_ROLLED_BACK' }

/** Has read 0 and 1 under leader epoch 0. */
const readTwo = () => {
  const continuity = createContinuity(beforeFirst)
  assert.deepEqual(positions(continuity.accept(fetched(record(0), record(1)))), [0, 1])
  return continuity
}

describe('the continuity of a Kafka log', () => {
  test('takes whatever the log begins with, and what follows it', () => {
    const continuity = createContinuity(beforeFirst)
    assert.equal(continuity.resumeAt(), undefined)
    assert.deepEqual(positions(continuity.accept(fetched(record(7), record(8)))), [7, 8])
    assert.deepEqual(positions(continuity.accept(fetched(record(9)))), [9])
    assert.deepEqual([continuity.last.position, continuity.passed], [9, 9])
  })

  test('begins after a position by comparing it, and does not give it again', () => {
    const continuity = createContinuity(entryOf(record(3)))
    assert.equal(continuity.resumeAt(), 3)
    assert.deepEqual(positions(continuity.accept(fetched(record(3), record(4)))), [4])
  })

  test('is broken by another record at the last position, by none, and by a fetch from elsewhere', () => {
    const wrong = [
      fetched(record(3, 0, 'other'), record(4)),
      { ...fetched(record(4)), from: 3 },
      fetched(record(0), record(1)),
      { ...fetched(record(3)), from: 0 },
    ]
    for (const one of wrong) {
      const continuity = createContinuity(entryOf(record(3)))
      continuity.resumeAt()
      assert.throws(() => continuity.accept(one), rolledBack)
    }
  })

  test('is broken by control records where the last position should be, and passes others', () => {
    const continuity = readTwo()
    continuity.pass(2)
    assert.deepEqual([continuity.last.position, continuity.passed], [1, 2])
    assert.deepEqual(positions(continuity.accept(fetched(record(3)))), [3])
    continuity.resumeAt()
    assert.throws(() => continuity.pass(4), rolledBack)
  })

  for (const [doubt, cause] of [
    ['a new connection', (continuity: ReturnType<typeof readTwo>) => continuity.doubt()],
    ['a new leader', () => undefined],
  ] as const) {
    test(`compares the last position after ${doubt}, before anything newer counts`, () => {
      const continuity = readTwo()
      cause(continuity)
      const newer = record(2, doubt === 'a new leader' ? 1 : 0)
      assert.equal(continuity.accept(fetched(newer)), undefined)
      assert.equal(continuity.last.position, 1)
      assert.deepEqual(positions(continuity.accept(fetched(record(1), newer))), [2])
      assert.deepEqual(
        positions(continuity.accept(fetched(record(3, newer.batchContext?.partitionLeaderEpoch)))),
        [3],
      )
    })

    test(`is broken when the last position is another record after ${doubt}`, () => {
      const continuity = readTwo()
      cause(continuity)
      continuity.accept(fetched(record(2, 1)))
      assert.throws(() => continuity.accept(fetched(record(1, 1, 'other'), record(2, 1))), rolledBack)
    })
  }

  test('compares once for a new leader, though the last position comes alone', () => {
    const continuity = readTwo()
    assert.equal(continuity.accept(fetched(record(2, 5))), undefined)
    assert.deepEqual(positions(continuity.accept(fetched(record(1)))), [])
    assert.deepEqual(positions(continuity.accept(fetched(record(2, 5)))), [2])
  })

  test('compares the last position when kafkajs fetched from elsewhere by itself', () => {
    const continuity = readTwo()
    assert.equal(continuity.accept(fetched(record(5))), undefined)
    assert.equal(continuity.accept(fetched(record(1), record(2)))?.length, 1)
    assert.equal(continuity.accept(fetched(record(0))), undefined)
    assert.throws(() => continuity.accept(fetched(record(0))), rolledBack)
  })
})
