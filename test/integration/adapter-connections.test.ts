/**
 * Connections to an adapter: one that was let in once is not let in for ever.
 *
 * @module
 */
import { test } from 'node:test'
import { Client, credentials } from '@grpc/grpc-js'
import { startAdapter } from '../../adapter/adapter.ts'
import {
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import { until } from '../support/condition.ts'
import { createIdleFollower } from '../support/idle-follower.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

test('a client that keeps its connection must make another one when that is as old as a stream may be', async t => {
  const follower = createIdleFollower()
  follower.state.epoch = 'epoch-1'
  follower.complete = true
  const adapter = await startAdapter({
    follower,
    address: '127.0.0.1:0',
    toleranceSeconds: 30,
    streamMaxAgeMs: 200,
    streamsLimit: 10,
    logger: createKeptLogger().logger,
  })
  t.after(() => adapter.close())
  const client = new Client(`127.0.0.1:${adapter.port}`, credentials.createInsecure())
  t.after(() => client.close())

  /** A stream, until it has ended; gives the address that it came from. */
  const streamOnce = async (): Promise<string | undefined> => {
    let peer: string | undefined
    await new Promise<void>(ended => {
      const stream = client.makeBidiStreamRequest(
        deltaTokensPath,
        deltaRequestCodec.encode,
        deltaResponseCodec.decode,
      )
      stream.on('data', () => {
        peer = adapter.status().nodes.at(-1)?.peer
      })
      stream.on('error', () => undefined)
      stream.on('status', () => ended())
      stream.write({
        node: { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'tester' } } } },
        typeUrl: revocationBatchTypeUrl,
      })
    })
    return peer
  }
  const first = await until('a stream was served', streamOnce)
  await until('a stream comes from another connection', async () => {
    const peer = await streamOnce()
    return peer !== undefined && peer !== first
  })
})
