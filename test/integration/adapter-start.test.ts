/**
 * An adapter that still reads its log: it must not answer, for its answer would make enforcers forget.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, credentials, status } from '@grpc/grpc-js'
import { startAdapter } from '../../adapter/adapter.ts'
import type { LogFollower } from '../../event-log/follow.ts'
import {
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import { LiveState } from '../../revocation/live-state.ts'
import { createLogger } from '../../runtime/logger.ts'

/** A follower that is complete when the test says so. */
const createFollower = (): LogFollower & { complete: boolean } => ({
  state: new LiveState(),
  caughtUp: Promise.resolve(),
  complete: false,
  restarts: 0,
  rollbacks: 0,
  confirmedAtMs: 0,
  subscribe: () => () => undefined,
  onApplied: () => () => undefined,
  reached: async () => true,
  close: async () => undefined,
})

test('an adapter answers nothing before it has read its log, and then the full state', async t => {
  const follower = createFollower()
  const adapter = await startAdapter({
    follower,
    address: '127.0.0.1:0',
    toleranceSeconds: 30,
    streamMaxAgeMs: 60_000,
    streamsLimit: 10,
    logger: createLogger({ level: 'fatal', format: 'json', component: 'adapter' }),
  })
  t.after(() => adapter.close())
  const client = new Client(`127.0.0.1:${adapter.port}`, credentials.createInsecure())
  t.after(() => client.close())

  /** What comes first on a new stream: a message, or the status with which it ends. */
  const firstAnswer = (): Promise<DeltaResponseMessage | status> =>
    new Promise(done => {
      const stream = client.makeBidiStreamRequest(
        deltaTokensPath,
        deltaRequestCodec.encode,
        deltaResponseCodec.decode,
      )
      stream.on('data', message => {
        done(message)
        stream.cancel()
      })
      stream.on('error', () => undefined)
      stream.on('status', ({ code }) => done(code))
      stream.write({
        node: { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'tester' } } } },
        typeUrl: revocationBatchTypeUrl,
      })
    })

  assert.equal(await firstAnswer(), status.UNAVAILABLE)
  assert.match(adapter.ready().reasons.join(), /nobody has written to it: start a revoker/)
  follower.state.epoch = 'epoch-1'
  assert.deepEqual(adapter.ready(), { ready: false, reasons: ['reading the event log'] })

  follower.complete = true
  const answer = await firstAnswer()
  assert.ok(typeof answer === 'object' && answer.resources.length === 1)
  assert.deepEqual(adapter.ready(), { ready: true, reasons: [] })
})
