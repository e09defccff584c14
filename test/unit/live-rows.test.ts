/** The compact map of live keys is a map, and its walks miss nothing, whatever happens meanwhile. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { createKeyHash, KeyIndex } from '../../revocation/key-index.ts'
import { type LiveEntry, LiveKey, type LiveKeyImage } from '../../revocation/live-key.ts'
import type { LiveRow } from '../../revocation/live-row.ts'
import { type KeptKey, LiveRows } from '../../revocation/live-rows.ts'
import { rowBytes } from '../../revocation/rows.ts'

type Walk = Iterator<LiveRow>

const textOf = (number: number): string =>
  createHash('md5').update(String(number)).digest('binary').slice(0, 16)

const idOf = (number: number): string => createHash('md5').update(`id ${number}`).digest('hex')

/** Of every kind: without revocations, with one, with several, with leftovers. */
const anyLive = fc
  .record({
    times: fc.array(
      fc.tuple(fc.nat(), fc.nat()).map(([expiresAt, issuedBefore]) => ({ expiresAt, issuedBefore })),
      { maxLength: 3 },
    ),
    age: fc.constantFrom(0, 7, 1_000),
    restoredUntil: fc.nat(),
    claimSet: fc.option(fc.nat({ max: 255 }), { nil: undefined }),
    merged: fc.option(fc.constant({ expiresAt: 5, issuedBefore: 6 }), {
      nil: undefined,
    }),
  })
  .map(({ times, age, restoredUntil, claimSet, merged }) => (changedAt: number): LiveKeyImage => {
    const sequence = Math.max(0, changedAt - age)
    const singles = times.map((one, index) => ({ id: idOf(index), times: one, sequence }))
    const all = merged && { times: merged, sequence }
    return { changedAt, restoredUntil, claimSet, merged: all, mergedLeftover: undefined, singles }
  })

type AnyLive = (changedAt: number) => LiveKeyImage

const anyStep = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant('append' as const), key: fc.nat({ max: 40 }), live: anyLive }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('replace' as const), key: fc.nat({ max: 40 }), live: anyLive }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.nat({ max: 40 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('walk' as const), back: fc.nat({ max: 60 }) }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('step' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

type Step = typeof anyStep extends fc.Arbitrary<infer Some> ? Some : never

/** A walk under way, and what it has yet to tell. */
interface Watched {
  readonly walk: Walk
  readonly owed: Set<string>
}

const entryOf = ({ entry, changedAt, lastNeededAt, hasLeftovers }: LiveEntry): LiveEntry => ({
  entry,
  changedAt,
  lastNeededAt,
  hasLeftovers,
})

/** Rows beside a map that holds the same. */
class Beside {
  readonly rows = new LiveRows(8)
  readonly map = new Map<string, LiveKeyImage>()
  #walks: Watched[] = []
  #position = 0

  /** What a key of the map is now. */
  live(text: string): LiveKey {
    return LiveKey.from(this.map.get(text) as LiveKeyImage, this.rows.since)
  }

  append(key: number, live: AnyLive): void {
    const text = textOf(key)
    const image = live(++this.#position)
    this.rows.append(text, LiveKey.from(image, this.rows.since))
    this.map.delete(text)
    this.map.set(text, image)
    for (const { owed } of this.#walks) owed.add(text)
  }

  replace(key: number, live: AnyLive): void {
    const text = textOf(key)
    const known = this.map.get(text)
    if (known === undefined) return
    const image = live(known.changedAt)
    this.rows.replace(text, LiveKey.from(image, this.rows.since))
    this.map.set(text, image)
  }

  /** As when a log begins anew. */
  restart(): void {
    this.rows.since = this.#position + 1
  }

  /** A copy that went through a checkpoint. */
  reopened(): LiveRows {
    const rows = new LiveRows(8)
    rows.since = this.rows.since
    for (const text of this.map.keys()) {
      const { row, more } = this.rows.kept(text) as KeptKey
      const bytes = Buffer.alloc(rowBytes)
      row.writeTo(bytes, 0)
      rows.load({ bytes, offset: 0, more: () => more as LiveKeyImage })
    }
    return rows
  }

  delete(key: number): void {
    const text = textOf(key)
    if (!this.map.delete(text)) return
    this.rows.delete(text)
    for (const { owed } of this.#walks) owed.delete(text)
  }

  walk(back: number): void {
    const after = this.#position - back
    const owed = [...this.map].filter(([, { changedAt }]) => changedAt > after).map(([text]) => text)
    this.#walks.push({ walk: this.rows.after(after, 'any'), owed: new Set(owed) })
  }

  /** One step of each walk that is under way. */
  step(): void {
    this.#walks = this.#walks.filter(walk => this.#take(walk))
  }

  finish(): void {
    for (const walk of this.#walks) while (this.#take(walk));
  }

  #take({ walk, owed }: Watched): boolean {
    const next = walk.next()
    if (next.done === true) {
      assert.deepEqual([...owed], [])
      return false
    }
    const { text } = next.value
    assert.deepEqual(entryOf(next.value), entryOf(this.live(text)))
    owed.delete(text)
    return true
  }
}

function doStep(beside: Beside, step: Step): void {
  switch (step.do) {
    case 'append':
    case 'replace':
      beside[step.do](step.key, step.live)
      break
    case 'delete':
      beside.delete(step.key)
      break
    case 'walk':
      beside.walk(step.back)
      break
    case 'step':
      beside.step()
      break
    case 'restart':
      beside.restart()
  }
}

test('it holds what a map would hold, in the order of the last append, and a walk misses nothing', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 100, maxLength: 300 }), steps => {
      const beside = new Beside()
      for (const step of steps) doStep(beside, step)
      beside.finish()
      const { map } = beside
      const lives = [...map.keys()].map(text => ({ text, live: beside.live(text) }))
      for (const rows of [beside.rows, beside.reopened()]) {
        assert.equal(rows.size, map.size)
        for (const { text, live } of lives) assert.deepEqual(rows.get(text)?.image, live.image)
        const textsOf = (which: 'any' | 'held' | 'leftovers') =>
          Array.from(rows.after(-2, which), ({ text }) => text)
        assert.deepEqual(textsOf('any'), [...map.keys()])
        const held = lives.filter(({ live }) => !live.isForgotten)
        assert.deepEqual(
          textsOf('held'),
          held.map(({ text }) => text),
        )
        const leftovers = lives.filter(({ live }) => live.hasLeftovers)
        assert.deepEqual(
          textsOf('leftovers'),
          leftovers.map(({ text }) => text),
        )
      }
    }),
    { numRuns: 1_000 },
  )
})

test('an index finds each number by its hash, also among others with the same hash or near it', () => {
  const anyHash = fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(0xffff_fff0, 0xffff_ffff, 31))
  const anyStep = fc.record({ hash: anyHash, isRemoved: fc.boolean() })
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 50, maxLength: 400 }), steps => {
      const index = new KeyIndex()
      const hashes = new Map<number, number>()
      let count = 0
      for (const { hash, isRemoved } of steps) {
        const known = isRemoved ? [...hashes].find(([, other]) => other === hash)?.[0] : undefined
        if (known === undefined) {
          index.add(hash, count)
          hashes.set(count++, hash)
        } else {
          index.remove(hash, known)
          hashes.delete(known)
          assert.equal(
            index.find(hash, number => number === known),
            -1,
          )
        }
      }
      for (const [number, hash] of hashes)
        assert.equal(
          index.find(hash, other => other === number),
          number,
        )
    }),
    { numRuns: 300 },
  )
})

test('keys that somebody chose do not meet in one place', () => {
  const hash = createKeyHash()
  const chosen = Array.from({ length: 10_000 }, (_, at) => [at, 7, 7, 7] as const)
  const mirrored = chosen.map(([at]) => [7, at << 16, -at >>> 0, 7] as const)
  for (const keys of [chosen, mirrored]) {
    const hashes = new Set(keys.map(key => hash(key)))
    assert.ok(hashes.size > 9_900, `${hashes.size} hashes`)
    const parts = new Set([...hashes].map(one => one >>> 22))
    assert.ok(parts.size > 500, `${parts.size} parts`)
  }
})

test('keys that come and go take no more memory than those that are there', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const rows = new LiveRows(8)
  const live = new LiveKey(0)
  let [first, next] = [0, 0]
  const append = () => {
    live.changedAt = next
    rows.append(textOf(next++), live)
  }
  const heapAfter = (count: number): number => {
    for (const end = next + count; next < end; rows.delete(textOf(first++))) append()
    collect()
    return process.memoryUsage().heapUsed
  }
  // After a peak there are more free chunks than are ever needed again.
  while (next < 2_000) append()
  while (next - first > 80) rows.delete(textOf(first++))
  const before = heapAfter(20_000)
  const grown = heapAfter(100_000) - before
  assert.equal(rows.size, 80)
  assert.ok(grown < 2 ** 21, `${grown} bytes more`)
})
