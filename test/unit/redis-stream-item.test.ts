/** What an entry of the stream is taken for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellOnce } from '../../event-log/redis/foreign-entries.ts'
import { type RawEntry, readItem } from '../../event-log/redis/stream-item.ts'

const [p, d] = ['00000000000000ff', 'ffffffffffffffff']
const raw = (id: string, ...fields: string[]): RawEntry => [
  Buffer.from(id),
  fields.map(text => Buffer.from(text)),
]
const kindOf = (id: string, ...fields: string[]) => readItem(raw(id, ...fields)).kind

test('an entry with our fields is an event at the position of its id', () => {
  assert.deepEqual(readItem(raw('7-0', 'p', p, 'd', d, 'e', 'event')), {
    kind: 'own',
    id: '7-0',
    previous: 0xffn,
    entry: { position: 7, digest: 0xffffffffffffffffn, event: Buffer.from('event') },
  })
  assert.equal(kindOf('9007199254740991-0', 'p', p, 'd', d, 'e', ''), 'own')
})

test('an entry with other fields, other digests or another sequence is foreign', () => {
  assert.equal(kindOf('7-1', 'p', p, 'd', d, 'e', 'event'), 'foreign')
  assert.equal(kindOf('7-0', 'p', p, 'd', d), 'foreign')
  assert.equal(kindOf('7-0', 'p', p, 'd', d, 'e', 'event', 'f', ''), 'foreign')
  assert.equal(kindOf('7-0', 'd', d, 'p', p, 'e', 'event'), 'foreign')
  assert.equal(kindOf('7-0', 'p', p, 'd', d.toUpperCase(), 'e', 'event'), 'foreign')
  assert.equal(kindOf('7-0', 'p', p.slice(1), 'd', d, 'e', 'event'), 'foreign')
})

test('an entry whose id no position can have is beyond, whatever it holds', () => {
  for (const id of ['9007199254740992-0', '9007199254740993-0', '18446744073709551615-18446744073709551615'])
    assert.equal(kindOf(id, 'p', p, 'd', d, 'e', 'event'), 'beyond', id)
})

test('a foreign entry is told of once, however often it is read, and few of them are remembered', () => {
  const told: string[] = []
  const tell = tellOnce(where => told.push(where))
  const item = (id: string) => ({ kind: 'foreign', id, problem: '' }) as const
  for (const id of ['1-1', '2-1', '1-1', '2-1']) tell(item(id))
  assert.deepEqual(told, ['1-1', '2-1'])
  for (let at = 0; at < 10_000; at += 1) tell(item(`9-${at}`))
  tell(item('9-9999'))
  assert.equal(told.length, 10_002)
  tell(item('1-1'))
  assert.equal(told.at(-1), '1-1')
})
