/** The line before a log's writer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AppendGroup, createAppendQueue } from '../../event-log/append-queue.ts'
import { RescindError } from '../../revocation/error.ts'

const event = (text: string) => [Buffer.from(text)]
const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code

/** A writer whose writes end when the test says so. */
const createWriter = () => {
  const writes: {
    readonly texts: string[][]
    readonly done: () => void
    readonly fail: (error: Error) => void
  }[] = []
  let position = 0
  const write = (groups: readonly AppendGroup[]) =>
    new Promise<readonly (readonly number[])[]>((resolve, reject) => {
      const positions = groups.map(group => group.events.map(() => ++position))
      writes.push({
        texts: groups.map(group => group.events.map(String)),
        done: () => resolve(positions),
        fail: reject,
      })
    })
  return { writes, write }
}

/** A clock that stands still, with sleeps that end when the test says so. */
const createStillClock = () => {
  const sleeps: { readonly ms: number; readonly end: () => void }[] = []
  const clock = { nowMs: 0 }
  return {
    sleeps,
    clock,
    monotonicMs: () => clock.nowMs,
    sleep: (ms: number) => new Promise<void>(end => sleeps.push({ ms, end })),
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('appends that arrive together share a write, and those that arrive during it share the next', async () => {
  const { writes, write } = createWriter()
  const clock = createStillClock()
  const queue = createAppendQueue(write, 10_000, clock)
  const first = [queue.append(event('a')), queue.append(event('b'))]
  await turn()
  const second = [queue.append(event('c')), queue.append([...event('d'), ...event('e')])]
  await turn()
  assert.deepEqual(
    writes.map(({ texts }) => texts),
    [[['a'], ['b']]],
  )
  writes[0]?.done()
  assert.deepEqual(await Promise.all(first), [[1], [2]])
  clock.sleeps[0]?.end()
  await turn()
  assert.deepEqual(writes[1]?.texts, [['c'], ['d', 'e']])
  writes[1]?.done()
  assert.deepEqual(await Promise.all(second), [[3], [4, 5]])
  await turn()
  clock.sleeps[1]?.end()
  await queue.idle()
})

test('after a write of several the next one waits for a moment, and what comes meanwhile goes with it', async () => {
  const { writes, write } = createWriter()
  const still = createStillClock()
  const queue = createAppendQueue(write, 10_000, still)
  const first = [queue.append(event('a')), queue.append(event('b'))]
  await turn()
  still.clock.nowMs = 2
  writes[0]?.done()
  await Promise.all(first)
  const second = [queue.append(event('c')), queue.append(event('d'))]
  await turn()
  // Five from its beginning, of which two are over.
  assert.deepEqual([writes.length, still.sleeps.map(({ ms }) => ms)], [1, [3]])
  still.sleeps[0]?.end()
  await turn()
  assert.deepEqual(writes[1]?.texts, [['c'], ['d']])
  writes[1]?.done()
  await Promise.all(second)
  still.sleeps[1]?.end()
  await queue.idle()
})

test('who appends one after the other never waits', async () => {
  const { writes, write } = createWriter()
  const clock = createStillClock()
  const queue = createAppendQueue(write, 10_000, clock)
  for (let index = 0; index < 3; index++) {
    const appended = queue.append(event(String(index)))
    await turn()
    writes[index]?.done()
    assert.deepEqual(await appended, [index + 1])
  }
  assert.deepEqual(clock.sleeps, [])
})

test('a write that fails fails its own appends and no others', async () => {
  const { writes, write } = createWriter()
  const queue = createAppendQueue(write, 10_000)
  const failing = queue.append(event('a'))
  await turn()
  const working = queue.append(event('b'))
  writes[0]?.fail(new Error('disk'))
  await assert.rejects(failing, /disk/)
  await turn()
  writes[1]?.done()
  assert.deepEqual(await working, [2])
})

test('an append that is not done in time fails alone, and those behind it are still written', async () => {
  const { writes, write } = createWriter()
  const queue = createAppendQueue(write, 200)
  const late = queue.append(event('a'))
  await turn()
  await assert.rejects(late, hasCode('ERR_LOG_TIMEOUT'))
  const next = queue.append(event('b'))
  writes[0]?.done()
  await turn()
  writes[1]?.done()
  assert.deepEqual(await next, [2])
})

test('a line that is full refuses more, and takes more when it has moved on', async () => {
  const { writes, write } = createWriter()
  const clock = createStillClock()
  const queue = createAppendQueue(write, 10_000, clock)
  const all = [queue.append(event('0'))]
  await turn()
  for (let index = 1; index <= 20_000; index++) all.push(queue.append(event(String(index))))
  await assert.rejects(queue.append(event('too many')), hasCode('ERR_OVERLOADED'))
  writes[0]?.done()
  await turn()
  all.push(queue.append(event('again')))
  let waits = 0
  for (let index = 1; writes[index] !== undefined; index++) {
    assert.ok((writes[index]?.texts.length ?? 0) <= 2_000)
    writes[index]?.done()
    await turn()
    waits += clock.sleeps.length
    for (const { end } of clock.sleeps.splice(0)) end()
    await turn()
  }
  // As long as the line fills the next write, nothing waits.
  assert.equal(waits, 1)
  assert.equal((await Promise.all(all)).length, 20_002)
  await queue.idle()
})
