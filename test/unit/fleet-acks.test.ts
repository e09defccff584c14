/** Waiting until every connected enforcer has a version. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createFleetAcks, type FleetAcksOptions } from '../../adapter/fleet-acks.ts'
import { versionAsked } from '../../adapter/version-question.ts'
import { LiveState } from '../../revocation/live-state.ts'
import { systemClock } from '../../runtime/clock.ts'
import { createClockedFleet } from '../support/fleet.ts'

const never = new AbortController().signal
/** Far longer than a test takes: what resolves did not do so for the time. */
const longMs = 600_000

/** An adapter that has read the positions from 1 to 7; each has the digest of its number. */
const createAdapter = (options: Partial<FleetAcksOptions> = {}) => {
  const fleet = createClockedFleet()
  const state = new LiveState()
  const read = (until: number) => {
    for (let at = state.position + 1; at <= until; at++) state.advance(at, BigInt(at))
    fleet.serve(until)
  }
  read(7)
  let looks = 0
  const counting = {
    ...fleet.fleet,
    get connected() {
      return fleet.fleet.connected
    },
    leastAcked: () => {
      looks += 1
      return fleet.fleet.leastAcked()
    },
  }
  const acks = createFleetAcks({ fleet: counting, state, ...options })
  const wait = (version: number, waitMs = longMs, signal: AbortSignal = never) => {
    let isOver = false
    const over = acks.wait({ version, digest: BigInt(version) }, waitMs, signal).then(result => {
      isOver = true
      return result
    })
    return { over, isOver: () => isOver }
  }
  const answer = (stream: ReturnType<typeof fleet.open>, ackedVersion: number) => {
    stream.status.ackedVersion = ackedVersion
    fleet.fleet.answered()
  }
  return { fleet, acks, read, wait, answer, looks: () => looks }
}

/** Whatever is due in this turn of the event loop and the next ones has happened. */
const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await systemClock.turn()
}

describe('who waits for a version', () => {
  test('is answered at once if every connected enforcer has it, or if there is none', async () => {
    const { fleet, wait } = createAdapter()
    assert.equal(await wait(7).over, true)
    fleet.open('a', { ackedVersion: 7 })
    assert.equal(await wait(7).over, true)
  })

  test('is answered when the last enforcer has said that it has it', async () => {
    const { fleet, wait, answer } = createAdapter()
    const [one, other] = [fleet.open('a', { ackedVersion: 6 }), fleet.open('b', { ackedVersion: 6 })]
    const waiting = wait(7)
    answer(one, 7)
    await turns()
    assert.equal(waiting.isOver(), false)
    answer(other, 7)
    assert.equal(await waiting.over, true)
  })

  test('waits for both of two enforcers with the same name', async () => {
    const { fleet, wait, answer } = createAdapter()
    fleet.open('a', { ackedVersion: 7 })
    const second = fleet.open('a', { ackedVersion: 6 })
    const waiting = wait(7)
    await turns()
    assert.equal(waiting.isOver(), false)
    answer(second, 7)
    assert.equal(await waiting.over, true)
  })

  test('waits while an enforcer refuses what it is sent', async () => {
    const { fleet, wait, answer } = createAdapter()
    const refusing = fleet.open('a', { ackedVersion: 7, nackError: 'no' })
    const waiting = wait(7)
    answer(refusing, 7)
    await turns()
    assert.equal(waiting.isOver(), false)
    refusing.status.nackError = undefined
    answer(refusing, 7)
    assert.equal(await waiting.over, true)
  })

  test('does not wait for an enforcer that disconnects: the answer says that it did', async () => {
    const { fleet, wait } = createAdapter()
    const leaving = fleet.open('a', { ackedVersion: 6 })
    const waiting = wait(7)
    fleet.close(leaving)
    assert.equal(await waiting.over, true)
    assert.deepEqual(
      fleet.nodes().map(({ connected }) => connected),
      [false],
    )
  })

  test('does not wait for an enforcer that has said goodbye', async () => {
    const { fleet, wait, answer } = createAdapter()
    const leaving = fleet.open('a', { ackedVersion: 6 })
    const waiting = wait(7)
    leaving.status.saidGoodbye = true
    answer(leaving, 6)
    assert.equal(await waiting.over, true)
  })

  test('is not answered before the adapter itself has read that version, although it has no enforcers', async () => {
    const { wait, read } = createAdapter()
    const waiting = wait(8)
    await turns()
    assert.equal(waiting.isOver(), false)
    read(8)
    assert.equal(await waiting.over, true)
  })

  test('is not answered because of the same number in a log that is gone', async () => {
    const { fleet, acks } = createAdapter()
    fleet.open('a', { ackedVersion: 7 })
    let isOver = false
    void acks.wait({ version: 7, digest: 99n }, 60_000, never).then(() => {
      isOver = true
    })
    fleet.fleet.answered()
    await turns()
    assert.equal(isOver, false)
    assert.equal(acks.known({ version: 7, digest: 99n }), 'different')
    acks.close()
  })

  test('is answered when the time is over, or when nobody listens any more', async () => {
    const { fleet, wait } = createAdapter()
    fleet.open('a')
    assert.equal(await wait(7, 0).over, true)
    assert.equal(await wait(7, 5).over, true)
    const gone = new AbortController()
    const waiting = wait(7, longMs, gone.signal)
    gone.abort()
    assert.equal(await waiting.over, true)
  })

  test('is refused when too many wait, until one of them goes', async () => {
    const { fleet, wait } = createAdapter({ waitingLimit: 2 })
    fleet.open('a')
    const gone = new AbortController()
    const [, first] = [wait(7, 1_000), wait(7, longMs, gone.signal)]
    assert.equal(await wait(7, 50).over, false)
    gone.abort()
    await first.over
    assert.equal(await wait(7, 5).over, true)
  })

  test('shares the look at the enforcers with all who wait, and with all that was heard in the meantime', async () => {
    const { fleet, wait, answer, looks } = createAdapter()
    const streams = Array.from({ length: 10 }, (_, index) => fleet.open(`e${index}`, { ackedVersion: 6 }))
    const waiting = Array.from({ length: 50 }, () => wait(7))
    const before = looks()
    for (const stream of streams) answer(stream, 7)
    await Promise.all(waiting.map(({ over }) => over))
    assert.equal(looks() - before, 1)
  })
})

describe('the query of who waits', () => {
  const good = { version: '7', digest: '00000000000000ff', waitMs: '30000' }

  test('is a version, its digest and a time', () => {
    assert.deepEqual(versionAsked(good), { version: 7, digest: 255n, waitMs: 30_000 })
  })

  const bad: readonly Readonly<Record<string, unknown>>[] = [
    { ...good, version: undefined },
    { ...good, version: '-1' },
    { ...good, version: '9007199254740993' },
    { ...good, version: ['7', '8'] },
    { ...good, digest: undefined },
    { ...good, digest: 'ff' },
    { ...good, waitMs: undefined },
    { ...good, waitMs: '30001' },
    { ...good, waitMs: '1.5' },
    { ...good, more: '' },
  ]
  for (const query of bad)
    test(`is refused as ${JSON.stringify(query)}`, () => {
      assert.equal(versionAsked(query), undefined)
    })
})
