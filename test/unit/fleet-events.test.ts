/** The fleet as server-sent events: a bounded number of listeners, and no memory for those that are slow. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createFleetEvents, type FleetEventsOptions, type FrameSink } from '../../adapter/fleet-events.ts'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { createClockedFleet } from '../support/fleet.ts'

interface Sink extends FrameSink {
  readonly written: string[]
  takes: boolean
  ended: boolean
}

const sink = (): Sink => {
  const self: Sink = {
    written: [],
    takes: true,
    ended: false,
    write(text) {
      self.written.push(text)
      return self.takes
    },
    end() {
      self.ended = true
    },
  }
  return self
}

/** Events of a status that says how often it was asked. */
const events = (options: FleetEventsOptions = {}) => {
  const fleet = createClockedFleet()
  const status = { version: 1, logAgeSeconds: 0, asked: 0 }
  const ask = () => {
    status.asked++
    status.logAgeSeconds++
    return { ...status, asked: undefined, nodes: fleet.nodes() } as unknown as FleetStatus
  }
  return { fleet, status, events: createFleetEvents(ask, options) }
}

const versionIn = (frame: string | undefined): number => {
  const [, json] = /^data: (.*)\n\n$/.exec(frame ?? '') as unknown as [string, string]
  return JSON.parse(json).version
}

describe('a listener', () => {
  test('gets the status at once, and a frame in each second in which something has changed', () => {
    const { status, events: source } = events()
    const one = sink()
    assert.equal(source.add(one), true)
    assert.deepEqual(one.written.map(versionIn), [1])
    for (status.version = 2; status.version <= 4; status.version++) source.tick()
    assert.deepEqual(one.written.map(versionIn), [1, 2, 3, 4])
  })

  test('gets a sign of life instead while only times change, and those every five seconds', () => {
    const { events: source } = events()
    const one = sink()
    source.add(one)
    for (let second = 0; second < 10; second++) source.tick()
    const kinds = one.written.map(text => (text === ':\n\n' ? '.' : 'F')).join('')
    assert.equal(kinds, 'F....F....F')
  })

  test('that is slow is sent nothing until it has taken what it has, and then the newest', () => {
    const { status, events: source } = events()
    const slow = sink()
    source.add(slow)
    slow.takes = false
    for (status.version = 2; status.version <= 9; status.version++) source.tick()
    assert.deepEqual(slow.written.map(versionIn), [1, 2])
    slow.takes = true
    source.drained(slow)
    status.version = 10
    source.tick()
    assert.deepEqual(slow.written.map(versionIn), [1, 2, 10])
  })

  test('that takes nothing for too long is given up', () => {
    const { events: source } = events({ stuckTicksLimit: 3 })
    const stuck = sink()
    stuck.takes = false
    source.add(stuck)
    for (let second = 0; second < 5; second++) source.tick()
    assert.deepEqual([stuck.written.length, stuck.ended], [1, true])
  })

  test('too many is refused, until one has left', () => {
    const { events: source } = events({ listenersLimit: 2 })
    const all = [sink(), sink(), sink()]
    assert.deepEqual(
      all.map(each => source.add(each)),
      [true, true, false],
    )
    assert.deepEqual(all[2]?.written, [])
    source.remove(all[0] as Sink)
    assert.equal(source.add(all[2] as Sink), true)
  })
})

test('the status is asked once a second for all, and not while nobody listens', () => {
  const { status, events: source } = events()
  source.tick()
  assert.equal(status.asked, 0)
  const all = [sink(), sink(), sink()]
  for (const each of all) source.add(each)
  assert.equal(status.asked, 1)
  source.tick()
  assert.equal(status.asked, 2)
  for (const each of all) source.remove(each)
  source.tick()
  assert.equal(status.asked, 2)
})

test('a frame holds a bounded number of enforcers', () => {
  const { fleet, events: source } = events({ nodesLimit: 2 })
  for (const name of ['a', 'b', 'c']) fleet.open(name)
  const one = sink()
  source.add(one)
  assert.equal(JSON.parse((one.written[0] as string).slice('data: '.length)).nodes.length, 2)
})
