/** The enforcer's table says what a Map says, moves little at a time, and gives memory back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RescindError } from '../../revocation/error.ts'
import { segmentBytes, segmentSlots } from '../../revocation/segment.ts'
import { RevocationTable } from '../../revocation/table.ts'
import type { Words } from '../support/decide.ts'

interface Times {
  readonly expiresAt: number
  readonly issuedBefore: number
}

/** The naive table. */
class Model {
  readonly entries = new Map<string, Times>()

  set(key: Words, times: Times): void {
    this.entries.set(nameOf(key), times)
  }

  rejects(key: Words, issuedAt: number, liveAfter: number): boolean {
    const times = this.entries.get(nameOf(key))
    return times !== undefined && times.expiresAt > liveAfter && issuedAt <= times.issuedBefore
  }

  prune(expiredAt: number): void {
    for (const [key, { expiresAt }] of this.entries) if (expiresAt <= expiredAt) this.entries.delete(key)
  }
}

/** A first word of 0 is stored as 1: the one case in which two keys are the same. */
const nameOf = ([k0, k1, k2, k3]: Words): string => [k0 || 1, k1, k2, k3].join()

interface Pair {
  readonly table: RevocationTable
  readonly model: Model
}

const word = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
/** Few first and last words, so that keys often differ in one word only. */
const few = fc.constantFrom(0, 1, 2, 2 ** 32 - 1)
const someKey = fc.oneof(fc.tuple(few, few, few, few), fc.tuple(word, word, word, word))
const someTime = fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, 2 ** 32 - 1))

const entriesOf = (table: RevocationTable): Map<string, Times> => {
  const entries = new Map<string, Times>()
  const steps = table.visit((k0, k1, k2, k3, expiresAt, issuedBefore) => {
    const name = nameOf([k0, k1, k2, k3])
    assert.ok(!entries.has(name), 'an entry is visited once')
    entries.set(name, { expiresAt, issuedBefore })
  })
  while (!steps.next().done);
  return entries
}

const pruneAll = (table: RevocationTable, expiredAt: number): void => {
  while (!table.pruneStep(expiredAt));
  while (!table.pruneStep(expiredAt));
}

const sorted = (entries: Map<string, Times>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

type Command = fc.Command<Pair, Pair>
const command = (run: (pair: Pair) => void, text: string): Command => ({
  check: () => true,
  run: model => run(model),
  toString: () => text,
})

const commands = [
  fc.tuple(someKey, someTime, someTime).map(([key, expiresAt, issuedBefore]) =>
    command(({ table, model }) => {
      table.set(...key, expiresAt, issuedBefore)
      model.set(key, { expiresAt, issuedBefore })
    }, `set ${key} ${expiresAt} ${issuedBefore}`),
  ),
  fc.tuple(someKey, someTime, someTime).map(([key, issuedAt, liveAfter]) =>
    command(({ table, model }) => {
      assert.equal(table.rejects(...key, issuedAt, liveAfter), model.rejects(key, issuedAt, liveAfter))
      assert.equal(table.has(...key), model.entries.has(nameOf(key)))
    }, `rejects ${key} ${issuedAt} ${liveAfter}`),
  ),
  someTime.map(expiredAt =>
    command(({ table, model }) => {
      pruneAll(table, expiredAt)
      model.prune(expiredAt)
    }, `prune ${expiredAt}`),
  ),
  fc.constant(
    command(({ table, model }) => {
      assert.equal(table.size, model.entries.size)
      assert.deepEqual(sorted(entriesOf(table)), sorted(model.entries))
    }, 'iterate'),
  ),
]

test('whatever is set and pruned, the table says what a Map says', () => {
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 200, size: 'max' }), steps => {
      const pair = { table: new RevocationTable(), model: new Model() }
      fc.modelRun(() => ({ model: pair, real: pair }), steps)
    }),
    { numRuns: 300 },
  )
})

/** Different keys in an order that repeats: a generator of full period for each word. */
const keys = function* (count: number, seed: number): Generator<Words> {
  let state = seed
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  for (let index = 0; index < count; index++) yield [next(), next(), next(), index]
}

describe('a table of 200,000 entries', () => {
  const count = 200_000
  const expiryOf = (index: number) => (index % 10 === 0 ? 500 : 100)

  test('has grown in steps that moved no more slots than a segment has, and holds every entry', () => {
    const table = new RevocationTable()
    let mostMoved = 0
    for (const key of keys(count, 1)) {
      table.set(...key, 100, key[3])
      mostMoved = Math.max(mostMoved, table.movedByLastStep)
    }
    assert.equal(table.size, count)
    assert.ok(mostMoved > 0 && mostMoved <= segmentSlots, `${mostMoved}`)
    assert.ok(table.bytes <= count * 24 * 3, `${table.bytes} bytes`)
    for (const key of keys(count, 1)) {
      assert.ok(table.rejects(...key, key[3], 99) && !table.rejects(...key, key[3] + 1, 99))
    }
    for (const key of keys(1_000, 2)) assert.ok(!table.has(...key))
  })

  test('is pruned in steps that move no more slots than a segment has, loses nothing live, and gives memory back', () => {
    const table = new RevocationTable()
    for (const key of keys(count, 1)) table.set(...key, expiryOf(key[3]), 0)
    const bytesBefore = table.bytes
    let mostMoved = 0
    let rounds = 0
    while (rounds < 20) {
      if (table.pruneStep(100)) rounds++
      mostMoved = Math.max(mostMoved, table.movedByLastStep)
    }
    assert.ok(mostMoved > 0 && mostMoved <= segmentSlots, `${mostMoved}`)
    assert.equal(table.size, count / 10)
    assert.ok(table.bytes <= bytesBefore / 2, `${bytesBefore} bytes before, ${table.bytes} after`)
    for (const key of keys(count, 1)) assert.equal(table.has(...key), key[3] % 10 === 0)

    for (let round = 0; round < 20; round++) pruneAll(table, 500)
    assert.equal(table.size, 0)
    assert.equal(table.bytes, segmentBytes)
  })

  test('has room for them if it was told before, and gives back what it does not need', () => {
    const table = new RevocationTable()
    for (const _ of table.reserve(count));
    const reserved = table.bytes
    assert.ok(reserved <= count * 24 * 3, `${reserved} bytes`)
    for (const key of keys(count, 1)) {
      table.set(...key, expiryOf(key[3]), 0)
      assert.equal(table.movedByLastStep, 0)
    }
    for (const _ of table.reserve(count * 100));
    assert.equal(table.bytes, reserved)
    for (const key of keys(count, 1)) assert.ok(table.has(...key))
    for (let round = 0; round < 20; round++) pruneAll(table, 500)
    assert.equal(table.bytes, segmentBytes)
  })

  test('loses and invents nothing while it grows, is pruned and merged between one another', () => {
    const table = new RevocationTable()
    const live = new Set<number>()
    for (const key of keys(count, 3)) {
      const index = key[3]
      table.set(...key, index < count / 2 ? 100 : 500, 0)
      if (index >= count / 2) live.add(index)
      if (index % 50 === 0) table.pruneStep(100)
    }
    pruneAll(table, 100)
    assert.equal(table.size, live.size)
    for (const key of keys(count, 3)) assert.equal(table.has(...key), live.has(key[3]))
  })
})

describe('hashes that were aimed', () => {
  /** Fills a table until it refuses. */
  const fill = (keyOf: (index: number) => Words) => {
    const table = new RevocationTable({ multipliers: [1, 1] })
    let stored = 0
    let error: unknown
    while (error === undefined && stored < 50_000) {
      try {
        table.set(...keyOf(stored), 100, 7)
        stored++
      } catch (refusal) {
        error = refusal
      }
    }
    return { table, stored, error }
  }

  const aimed: Record<string, (index: number) => Words> = {
    'the hashed words are the same in all keys': index => [index + 1, 42, 43, index],
    'the hashed words differ in their lowest bits only': index => [index + 1, index % 8, 43, index],
  }
  for (const [name, keyOf] of Object.entries(aimed)) {
    test(`end in ERR_TABLE_FULL, with nothing lost that was stored: ${name}`, () => {
      const { table, stored, error } = fill(keyOf)
      assert.ok(error instanceof RescindError && error.code === 'ERR_TABLE_FULL')
      assert.ok(stored >= segmentSlots * 0.8)
      assert.equal(table.size, stored)
      assert.equal(entriesOf(table).size, stored)
      for (let index = 0; index < stored; index++) assert.ok(table.rejects(...keyOf(index), 7, 99))
      assert.ok(!table.has(...keyOf(stored)))
      table.set(...keyOf(0), 200, 8)
      assert.ok(table.rejects(...keyOf(0), 8, 199), 'what is there can still be changed')
    })
  }

  test('at some multipliers do not hit a table with others, and they are random', () => {
    const keyOf = (index: number): Words => [1, index, 0, 1]
    assert.ok(fill(keyOf).error instanceof RescindError)
    const table = new RevocationTable()
    for (let index = 0; index < 50_000; index++) table.set(...keyOf(index), 100, 7)
    assert.equal(table.size, 50_000)
  })
})

test('a key whose first word is 0 is found, and is not a free slot', () => {
  const table = new RevocationTable()
  table.set(0, 5, 6, 7, 100, 10)
  assert.equal(table.size, 1)
  assert.equal(table.rejects(0, 5, 6, 7, 10, 99), true)
  assert.equal(table.rejects(0, 5, 6, 8, 10, 99), false)
  pruneAll(table, 100)
  assert.equal(table.size, 0)
})

test('raising an entry keeps the later of each time, and stores one that is not there', () => {
  const table = new RevocationTable()
  table.raise(1, 2, 3, 4, 100, 10)
  table.raise(1, 2, 3, 4, 50, 20)
  assert.equal(table.size, 1)
  assert.equal(table.rejects(1, 2, 3, 4, 20, 99), true)
  assert.equal(table.rejects(1, 2, 3, 4, 21, 99), false)
  assert.equal(table.rejects(1, 2, 3, 4, 20, 100), false)
})

test('memory comes from where the table was told, so that threads can share it', () => {
  const given: SharedArrayBuffer[] = []
  const table = new RevocationTable({
    allocate: bytes => {
      const memory = new SharedArrayBuffer(bytes)
      given.push(memory)
      return memory
    },
  })
  table.set(1, 2, 3, 4, 100, 10)
  assert.equal(given.length, 1)
  assert.ok(new Uint32Array(given[0] as SharedArrayBuffer).includes(100))
})
