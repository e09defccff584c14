/** The client of the discovery protocol: when it takes a stream for dead. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { startDiscoveryClient } from '../../enforcer/discovery/client.ts'
import type { ClientStream } from '../../enforcer/discovery/client-stream.ts'
import { createDeltaFeed } from '../../enforcer/discovery/delta-feed.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createScheduler } from '../simulation/scheduler.ts'
import { createEnforcerSide } from '../support/discovery.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

const turnMs = 1_000

/** Time in which every turn of the event loop takes a second. */
const createSlowClock = () => {
  const scheduler = createScheduler()
  const after: Clock['after'] = (ms, action) => scheduler.after(ms || turnMs, action)
  const clock = { after, wallMs: () => scheduler.nowMs, monotonicMs: () => scheduler.nowMs } as Clock
  return { scheduler, clock }
}

/** A client whose feed works on a response for so many turns, and the streams that it opened. */
const start = (turns: number) => {
  const { scheduler, clock } = createSlowClock()
  const { logger, lines } = createKeptLogger()
  const streams: (ClientStream<object, object> & EventEmitter)[] = []
  const cancelledAtMs: number[] = []
  let left = 0
  const feed = {
    ...createDeltaFeed(createEnforcerSide()),
    take: () => {
      left = turns
    },
    work: () => {
      left -= 1
      return undefined
    },
    get busy() {
      return left > 0
    },
  }
  const open = () => {
    const stream = Object.assign(new EventEmitter(), {
      write: () => undefined,
      end: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      cancel: () => {
        cancelledAtMs.push(scheduler.nowMs)
        stream.emit('status')
      },
    })
    streams.push(stream)
    return stream
  }
  const transport = { open, reasonOf: String }
  startDiscoveryClient({ adapters: ['a:1'], feed, transport, logger, clock, onReceived: () => undefined })
  const runUntil = (endMs: number) => {
    while (scheduler.nowMs < endMs && scheduler.step());
  }
  return { streams, cancelledAtMs, runUntil, lines }
}

describe('a stream on which nothing comes', () => {
  test('for 5 seconds is given up, with a line in the log, and another one is opened', () => {
    const { streams, cancelledAtMs, runUntil, lines } = start(1)
    runUntil(9_000)
    assert.equal(cancelledAtMs[0], 5_000)
    assert.ok(streams.length > 1)
    assert.ok(lines.some(({ fields }) => fields.reason === 'no heartbeat'))
  })

  test('because the enforcer works on what came is not dead, however long that takes', () => {
    const { streams, cancelledAtMs, runUntil } = start(20)
    streams[0]?.emit('data', {})
    runUntil(30_000)
    // After 19 more turns it reads again.
    assert.equal(cancelledAtMs[0], 24_000)
  })
})
