/** The digest of a Kafka record. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { entryOf, type KafkaRecord, recordDigest } from '../../event-log/kafka/record.ts'

const record = (changes: Partial<KafkaRecord> = {}): KafkaRecord =>
  ({
    offset: '9',
    key: null,
    value: Buffer.from('value'),
    timestamp: '1700000000000',
    attributes: 0,
    headers: {},
    ...changes,
  }) as KafkaRecord

const bytes = (text: string) => Buffer.from(text)

describe('the digest of a Kafka record', () => {
  test('tells apart what differs in key, value, headers or time, and null from empty', () => {
    const records = [
      record(),
      record({ timestamp: '1700000000001' }),
      record({ value: bytes('other') }),
      record({ value: bytes('') }),
      record({ value: null }),
      record({ key: bytes('') }),
      record({ key: bytes('value'), value: null }),
      record({ key: bytes('v'), value: bytes('alue') }),
      record({ headers: { name: bytes('') } }),
      record({ headers: { name: bytes('one'), other: bytes('two') } }),
      record({ headers: { other: bytes('two'), name: bytes('one') } }),
      record({ headers: { name: [bytes('one'), bytes('two')] } }),
      record({ headers: { name: [bytes('two'), bytes('one')] } }),
      record({ headers: { nameone: bytes(''), two: bytes('') } }),
    ]
    assert.equal(new Set(records.map(recordDigest)).size, records.length)
  })

  test('does not depend on where the record is, or on its batch', () => {
    const moved = record({ offset: '10', batchContext: { partitionLeaderEpoch: 3 } })
    assert.equal(recordDigest(moved), recordDigest(record()))
  })

  test('is the same in every version, for checkpoints hold it', () => {
    assert.equal(recordDigest(record()), 0x4782b8b00000b9a3n)
  })

  test('belongs to an entry without bytes when there is no value', () => {
    assert.deepEqual(entryOf(record({ value: null })), {
      position: 9,
      digest: recordDigest(record({ value: null })),
      event: Buffer.alloc(0),
    })
  })
})
