/** What is remembered for Idempotency-Keys is bounded, and what is forgotten is the oldest. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AnswerMemoryOptions,
  createAnswerMemory,
  derivedId,
  fingerprintOf,
} from '../../revoker/admin/idempotency.ts'

const request = (key: string, administrator = 'alice', fingerprint = 'f') => ({
  administrator,
  key,
  fingerprint,
})

function createMemory(options: AnswerMemoryOptions = {}) {
  let nowMs = 0
  const memory = createAnswerMemory<string>({ now: () => nowMs, ...options })
  return {
    ...memory,
    pass: (ms: number) => {
      nowMs += ms
    },
    /** Begins and ends a request. */
    answer: (key: string, administrator?: string, bytes = 1) => {
      assert.equal(memory.begin(request(key, administrator)).kind, 'begun')
      memory.keep(request(key, administrator), `answer to ${key}`, bytes)
    },
    knows: (key: string, administrator?: string) => {
      const begun = memory.begin(request(key, administrator))
      if (begun.kind === 'begun') memory.release(request(key, administrator), false)
      return begun.kind === 'answered'
    },
  }
}

describe('the memory of answers', () => {
  test('forgets the oldest of an administrator beyond a number, and beyond so many bytes', () => {
    const memory = createMemory({ answersLimit: 3, bytesLimit: 100 })
    for (const key of ['a', 'b', 'c', 'd']) memory.answer(key)
    memory.answer('x', 'bob')
    assert.deepEqual(
      ['b', 'c', 'd', 'a'].map(key => memory.knows(key)),
      [true, true, true, false],
    )
    memory.answer('large', 'alice', 99)
    assert.deepEqual(
      ['d', 'large', 'c'].map(key => memory.knows(key)),
      [true, true, false],
    )
    assert.equal(memory.knows('x', 'bob'), true)
  })

  test('forgets after a time', () => {
    const memory = createMemory({ keepMs: 1_000 })
    memory.answer('a')
    memory.pass(999)
    assert.equal(memory.knows('a'), true)
    memory.pass(1)
    assert.equal(memory.knows('a'), false)
  })

  test('forgets the administrator who asked longest ago', () => {
    const memory = createMemory({ administratorsLimit: 2 })
    memory.answer('a', 'alice')
    memory.answer('b', 'bob')
    assert.equal(memory.knows('a', 'alice'), true)
    memory.answer('c', 'carol')
    assert.deepEqual([memory.knows('a', 'alice'), memory.knows('c', 'carol')], [true, true])
    assert.equal(memory.knows('b', 'bob'), false)
  })

  test('never forgets what is under way for want of room', () => {
    const memory = createMemory({ answersLimit: 1 })
    assert.equal(memory.begin(request('slow')).kind, 'begun')
    for (const key of ['a', 'b', 'c']) memory.answer(key)
    assert.equal(memory.begin(request('slow')).kind, 'under way')
  })
})

test('ids are the same for equal requests alone, and fingerprints tell bodies and paths apart', () => {
  const fingerprints = [
    fingerprintOf('POST', '/a', { b: 1 }),
    fingerprintOf('POST', '/a', { b: 2 }),
    fingerprintOf('POST', '/a{"b":1}', null),
    fingerprintOf('DELETE', '/a', { b: 1 }),
  ]
  assert.equal(new Set(fingerprints).size, 4)
  const ids = [
    derivedId(request('k'), 0),
    derivedId(request('k'), 1),
    derivedId(request('k', 'bob'), 0),
    derivedId(request('l'), 0),
    derivedId(request('k', 'alice', 'g'), 0),
    derivedId(request('k:1', 'alic', 'e'), 0),
  ]
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(derivedId(request('k'), 0), ids[0])
  assert.match(ids[0] as string, /^[0-9a-f]{32}$/)
})
