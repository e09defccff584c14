/** The enforcers of an adapter: who counts as one, how far it is, and for how long it is remembered. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertShown, createClockedFleet } from '../support/fleet.ts'

const names = (nodes: readonly { instance: string }[]) => nodes.map(({ instance }) => instance)

describe('the lag of an enforcer', () => {
  test('is 0 while it has what is served, however old that is', () => {
    const fleet = createClockedFleet()
    fleet.serve(7)
    fleet.open('a', { ackedVersion: 7 })
    fleet.ms += 900_000
    const { state, lagVersions, lagSeconds } = fleet.node('a')!
    assert.deepEqual([state, lagVersions, lagSeconds], ['current', 0, 0])
  })

  test('counts from when the first version that it lacks was there, whatever came after', () => {
    const fleet = createClockedFleet()
    fleet.serve(7)
    const { status } = fleet.open('a', { ackedVersion: 7 })
    fleet.ms += 10_000
    fleet.serve(8)
    fleet.ms += 4_000
    fleet.serve(12)
    fleet.ms += 1_000
    assert.deepEqual([fleet.node('a')?.lagVersions, fleet.node('a')?.lagSeconds], [5, 5])
    status.ackedVersion = 8
    assert.deepEqual([fleet.node('a')?.lagVersions, fleet.node('a')?.lagSeconds], [4, 1])
    status.ackedVersion = 12
    assert.deepEqual([fleet.node('a')?.lagVersions, fleet.node('a')?.lagSeconds], [0, 0])
  })

  test('makes it behind after a second, and not while an ACK is under way', () => {
    const fleet = createClockedFleet()
    fleet.serve(7)
    fleet.open('a', { ackedVersion: 7 })
    fleet.serve(8)
    fleet.ms += 999
    assert.deepEqual([fleet.node('a')?.state, fleet.node('a')?.lagSeconds], ['current', 0.999])
    fleet.ms += 1
    assert.equal(fleet.node('a')?.state, 'behind')
  })

  test('of one that has nothing counts from when it came, and it is behind at once', () => {
    const fleet = createClockedFleet()
    fleet.serve(7)
    fleet.ms += 500_000
    fleet.open('a')
    fleet.ms += 20
    const { state, ackedVersion, lagVersions, lagSeconds } = fleet.node('a')!
    assert.deepEqual([state, ackedVersion, lagVersions, lagSeconds], ['behind', -1, 7, 0.02])
  })

  test('is 0 on an empty log', () => {
    const fleet = createClockedFleet()
    fleet.serve(-1)
    fleet.open('a')
    assert.deepEqual([fleet.node('a')?.state, fleet.node('a')?.lagVersions], ['current', 0])
  })
})

describe('an enforcer', () => {
  test('that refuses says why until it accepts something; its last refusal stays known', () => {
    const fleet = createClockedFleet()
    fleet.serve(3)
    const refusal = {
      nackError: 'no',
      lastNack: { atMs: fleet.ms, error: 'no' },
      retryAtMs: fleet.ms + 1_500,
    }
    const { status } = fleet.open('a', { ackedVersion: 3, ...refusal })
    fleet.ms += 1_000
    assertShown(
      [fleet.node('a')],
      [
        {
          state: 'refusing',
          nackError: 'no',
          secondsUntilRetry: 0.5,
          lastNack: { error: 'no', secondsAgo: 1 },
        },
      ],
    )
    Object.assign(status, { nackError: undefined, retryAtMs: undefined, lastAckAtMs: fleet.ms })
    assertShown(
      [fleet.node('a')],
      [
        {
          state: 'current',
          nackError: undefined,
          secondsUntilRetry: undefined,
          secondsSinceAck: 0,
          lastNack: { error: 'no', secondsAgo: 1 },
        },
      ],
    )
  })

  test('is one with several streams: the best version that it acknowledged counts, on whichever', () => {
    const fleet = createClockedFleet()
    fleet.serve(9)
    const first = fleet.open('a', { ackedVersion: 9, lastAckAtMs: fleet.ms })
    fleet.ms += 5_000
    const second = fleet.open('a', {}, { address: '10.0.0.1:2' })
    assertShown(fleet.nodes(), [{ ackedVersion: 9, streams: 2, peer: '10.0.0.1:1' }])
    assert.equal(fleet.fleet.connected, 1)
    second.status.ackedVersion = 9
    assertShown(fleet.nodes(), [{ ackedVersion: 9, peer: '10.0.0.1:2', secondsSinceAck: 5 }])
    fleet.close(first)
    assertShown(fleet.nodes(), [{ ackedVersion: 9, streams: 1, connected: true }])
  })

  test('has on all of its streams what the one has that is behind', () => {
    const fleet = createClockedFleet()
    fleet.serve(9)
    fleet.open('a', { ackedVersion: 9 })
    const second = fleet.open('a', { ackedVersion: 4 })
    assertShown(fleet.nodes(), [{ ackedVersion: 9, leastAckedVersion: 4 }])
    fleet.close(second)
    assertShown(fleet.nodes(), [{ ackedVersion: 9, leastAckedVersion: 9 }])
  })

  test('of a log that was rolled back has nothing of the new one, whether it is connected or not', () => {
    const fleet = createClockedFleet()
    fleet.serve(100)
    const stays = fleet.open('stays', { ackedVersion: 100 })
    fleet.close(fleet.open('left', { ackedVersion: 100 }))
    fleet.ms += 1_000
    fleet.serve(40, 1)
    // Its session says so as soon as the log began anew.
    stays.status.ackedVersion = -1
    fleet.ms += 2_000
    assertShown([fleet.node('left')], [{ ackedVersion: -1, lagVersions: 40, lagSeconds: 2 }])
    assertShown([fleet.node('stays')], [{ ackedVersion: -1, lagVersions: 40, lagSeconds: 2 }])
    stays.status.ackedVersion = 40
    assertShown([fleet.node('stays')], [{ state: 'current', lagSeconds: 0 }])
  })

  test('is its identity, label and instance together', () => {
    const fleet = createClockedFleet()
    fleet.open('a')
    fleet.open('a', {}, { identity: 'spiffe://x/a' })
    fleet.open('a', { node: { label: 'other', instance: 'a' } })
    fleet.open('","a')
    assert.equal(fleet.nodes().length, 4)
  })
})

describe('an enforcer that disconnects', () => {
  test('is remembered with what it had for as long as it counts, and its lag grows', () => {
    const fleet = createClockedFleet()
    fleet.serve(5)
    fleet.close(fleet.open('a', { ackedVersion: 5 }))
    fleet.ms += 10_000
    fleet.serve(6)
    fleet.ms += 49_999
    assertShown(fleet.nodes(), [
      {
        state: 'disconnected',
        connected: false,
        streams: 0,
        sinceSeconds: 59.999,
        lagVersions: 1,
        lagSeconds: 49.999,
      },
    ])
    fleet.ms += 1
    assert.deepEqual(fleet.nodes(), [])
  })

  test('is forgotten at once when it said goodbye, and no longer shown from then on', () => {
    const fleet = createClockedFleet()
    const stream = fleet.open('a')
    stream.status.saidGoodbye = true
    assert.deepEqual(fleet.nodes(), [])
    fleet.close(stream)
    assert.deepEqual(fleet.nodes(), [])
  })

  test('and comes back is there once', () => {
    const fleet = createClockedFleet()
    fleet.close(fleet.open('a', { ackedVersion: 1 }))
    fleet.open('a', { ackedVersion: 2 })
    assertShown(fleet.nodes(), [{ connected: true, ackedVersion: 2 }])
    assert.equal(fleet.nodes().length, 1)
  })

  test('before it has said who it is leaves nothing behind', () => {
    const fleet = createClockedFleet()
    const stream = fleet.open('a', { node: undefined })
    fleet.close(stream)
    assert.deepEqual(fleet.nodes(), [])
  })
})

describe('a full fleet', () => {
  test('forgets first who disconnected first, never who is connected, and says for a while that it did', () => {
    const fleet = createClockedFleet({ nodesLimit: 3 })
    const gone = ['a', 'b', 'c'].map(name => fleet.open(name))
    for (const stream of gone) {
      fleet.close(stream)
      fleet.ms += 1_000
    }
    assert.equal(fleet.fleet.isIncomplete(fleet.ms), false)
    fleet.open('d')
    assert.deepEqual(names(fleet.nodes()), ['d', 'b', 'c'])
    assert.equal(fleet.fleet.isIncomplete(fleet.ms), true)
    for (const name of ['e', 'f']) fleet.open(name)
    assert.deepEqual(names(fleet.nodes()), ['d', 'e', 'f'])
    fleet.ms += 59_999
    assert.equal(fleet.fleet.isIncomplete(fleet.ms), true)
    fleet.ms += 1
    assert.equal(fleet.fleet.isIncomplete(fleet.ms), false, 'whoever was forgotten would be forgotten by now')
  })

  test('loses nothing when all reconnect', () => {
    const fleet = createClockedFleet({ nodesLimit: 50 })
    const all = Array.from({ length: 50 }, (_, index) => `e${index}`)
    let streams = all.map(name => fleet.open(name))
    for (let round = 0; round < 3; round++) {
      for (const stream of streams) fleet.close(stream)
      streams = all.map(name => fleet.open(name))
    }
    assert.deepEqual(names(fleet.nodes()).toSorted(), all.toSorted())
    assert.equal(fleet.fleet.isIncomplete(fleet.ms), false)
  })
})
