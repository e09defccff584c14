/**
 * Our adapter with enforcers of Choreo Connect: they miss nothing where the adapter that they come with loses
 * revocations. `npm run compat` has the same at full length.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { type Adapter, startAdapter } from '../../adapter/adapter.ts'
import type { TextsOnDisk } from '../../event-log/checkpoint-texts.ts'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import {
  fetchTokensPath,
  revokedTokenTypeUrl,
  type SotwRequest,
  type SotwResponseMessage,
  sotwRequestCodec,
  sotwResponseCodec,
  streamTokensPath,
} from '../../proto/wire.ts'
import { runBystanders } from '../compat/bystanders.ts'
import { quickRetries, rows, runRow } from '../compat/rows.ts'
import { newTokens } from '../compat/traffic.ts'
import { type CompatWorld, startCompatWorld, startSotwClient } from '../compat/world.ts'
import { startChoreoConnectEnforcer, tokensIn } from '../support/choreo-connect-enforcer.ts'
import { until } from '../support/condition.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { createErrorLogger } from '../support/published-log.ts'
import { requireService } from '../support/requires.ts'
import { block, bytesOf, plainCodec } from '../support/revocations.ts'
import { firstSotwRequest } from '../support/sotw.ts'

describe('nobody misses a revocation:', () => {
  for (const row of rows) {
    test(row.name, row.log === 'redis' ? requireService('redis') : {}, async () => {
      const { sent, missedSotw, missedDelta } = await runRow(row, 'quick')
      assert.deepEqual(
        { sent, missedSotw, missedDelta },
        { sent: row.quick.count, missedSotw: 0, missedDelta: 0 },
      )
    })
  }

  test('beside one that refuses everything and one whose instanceIdentifier is a number', async () => {
    const { missed, pushesToRefuser, pushesLimit, numericInstanceEndedWith } = await runBystanders('quick')
    assert.equal(missed, 0)
    assert.ok(pushesToRefuser <= pushesLimit, `${pushesToRefuser} pushes`)
    assert.equal(numericInstanceEndedWith, 'INVALID_ARGUMENT')
  })
})

/** What a call ends with, and what came before. */
interface Ended {
  readonly code: status
  readonly details: string
  readonly responses: number
}

const bytes = (value: Buffer) => value

/** Opens a stream with these bytes as its first request; `onFirst` sees it with its first response. */
const openStream = (
  port: number,
  first: Buffer,
  onFirst: (stream: ClientDuplexStream<Buffer, Buffer>) => void = () => undefined,
): Promise<Ended> => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const stream = client.makeBidiStreamRequest(streamTokensPath, bytes, bytes)
  let responses = 0
  return new Promise(done => {
    stream.on('data', () => {
      if (++responses === 1) onFirst(stream)
    })
    stream.on('error', () => undefined)
    stream.on('status', ({ code, details }) => {
      client.close()
      done({ code, details, responses })
    })
    stream.write(first)
  })
}

const fetchTokens = (port: number, request: SotwRequest): Promise<SotwResponseMessage> => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  return new Promise<SotwResponseMessage>((done, fail) => {
    client.makeUnaryRequest(
      fetchTokensPath,
      sotwRequestCodec.encode,
      sotwResponseCodec.decode,
      request,
      (error: ServiceError | null, answer?: SotwResponseMessage) =>
        answer === undefined ? fail(error) : done(answer),
    )
  }).finally(() => client.close())
}

const firstBytes = sotwRequestCodec.encode(firstSotwRequest)

const openFetch = (session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream => {
  const stream = session.request({
    ':method': 'POST',
    ':path': fetchTokensPath,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  return stream.on('error', () => undefined)
}

/** A message as it goes over HTTP/2. */
const grpcFrame = (message: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

describe('an adapter', () => {
  let world: CompatWorld
  before(async () => {
    world = await startCompatWorld('embedded')
  })
  after(() => world?.stop())

  test('tolerates a second stream of the same enforcer that alone is answered', async t => {
    const { enforcer, has } = await startSotwClient(world.port, quickRetries)
    t.after(() => enforcer.close())
    enforcer.openAnother()
    await until('both were served', () => enforcer.streams === 2)
    const jtis = newTokens(300)
    for (const jti of jtis) await world.revoke([jti])
    await until('it knows all', () => jtis.every(has))
    assert.deepEqual(enforcer.ends, [])
  })

  test('gives everything at once to who asks for it', async () => {
    const jtis = newTokens(700)
    await world.revoke(jtis)
    const response = await fetchTokens(world.port, firstSotwRequest)
    const fetched = new Set(tokensIn(response).map(({ jti }) => jti))
    assert.ok(jtis.every(jti => fetched.has(jti)))
    await assert.rejects(fetchTokens(world.port, {}), { code: status.INVALID_ARGUMENT })
  })

  test('makes no further such answers while four are not taken', async t => {
    await world.revoke(newTokens(10))
    for (let fetches = 0; fetches < 6; fetches++) await fetchTokens(world.port, firstSotwRequest)
    const session = connect(`http://127.0.0.1:${world.port}`, { settings: { initialWindowSize: 0 } })
    t.after(() => session.destroy())
    const unread = Array.from({ length: 4 }, () => openFetch(session).end(grpcFrame(firstBytes)))
    await Promise.all(unread.map(stream => once(stream, 'response')))
    await assert.rejects(fetchTokens(world.port, firstSotwRequest), { code: status.RESOURCE_EXHAUSTED })
    session.destroy()
    await until('there is room again', () => fetchTokens(world.port, firstSotwRequest))
  })

  test('keeps no room for calls that were over before they could be answered', async t => {
    const session = connect(`http://127.0.0.1:${world.port}`)
    t.after(() => session.destroy())
    const tooLarge = grpcFrame(Buffer.alloc(100_000)).subarray(0, 5)
    for (let calls = 0; calls < 4; calls++) {
      const late = openFetch(session, { 'grpc-timeout': '1m' })
      late.write(grpcFrame(firstBytes))
      const refused = openFetch(session)
      refused.write(grpcFrame(firstBytes))
      refused.write(tooLarge)
      await Promise.all([late, refused].map(stream => once(stream, 'response')))
      for (const stream of [late, refused]) stream.end()
    }
    const last = openFetch(session)
    last.resume().end(grpcFrame(firstBytes))
    const [headers] = await once(last, 'response')
    assert.equal(headers['grpc-status'], undefined, 'who is refused gets the status at once')
  })

  test('answers what is not a request with an error, and lives on', async () => {
    const wrong: readonly Buffer[] = [
      Buffer.from([255, 255, 255]),
      Buffer.alloc(0),
      Buffer.alloc(100_000),
      sotwRequestCodec.encode({ typeUrl: revokedTokenTypeUrl, node: { id: 'label' } }),
    ]
    for (const request of wrong) assert.notEqual((await openStream(world.port, request)).code, status.OK)
    const { enforcer } = await startSotwClient(world.port)
    enforcer.close()
  })

  test('never ends a stream with OK, also not when the enforcer has ended its side', async () => {
    const { code, responses } = await openStream(world.port, firstBytes, stream => stream.end())
    assert.equal(code, status.UNAVAILABLE)
    assert.ok(responses > 0)
  })
})

describe('an adapter on a log in memory', () => {
  const store = createMemoryLogStore()
  const { logger } = createErrorLogger()
  let follower: LogFollower
  before(async () => {
    const log = store.open()
    await log.append(bytesOf(block({ jti: 'a' }, 4_000_000_000)))
    follower = followLog({ log, codec: plainCodec, graceSeconds: 0 })
    await follower.caughtUp
  })
  after(() => follower.close())

  const noTexts: TextsOnDisk = { flush: async () => undefined, textsAfter: () => [] }
  const start = (options: { texts?: TextsOnDisk; streamMaxAgeMs?: number; follower?: LogFollower } = {}) =>
    startAdapter({
      follower,
      address: '127.0.0.1:0',
      toleranceSeconds: 0,
      streamMaxAgeMs: 600_000,
      streamsLimit: 2,
      logger,
      ...options,
    })
  const withAdapter = async (
    options: Parameters<typeof start>[0],
    use: (adapter: Adapter) => Promise<void>,
  ) => {
    const adapter = await start(options)
    try {
      await use(adapter)
    } finally {
      await adapter.close()
    }
  }

  test('without adapter.dataFolder refuses, and names the setting', () =>
    withAdapter({}, async ({ port }) => {
      const { code, details } = await openStream(port, firstBytes)
      assert.equal(code, status.FAILED_PRECONDITION)
      assert.match(details, /adapter\.dataFolder is not set/)
      await assert.rejects(fetchTokens(port, firstSotwRequest), { code: status.FAILED_PRECONDITION })
    }))

  test('that has not read its log yet is UNAVAILABLE', () =>
    withAdapter({ texts: noTexts, follower: { ...follower, complete: false } }, async ({ port }) => {
      assert.equal((await openStream(port, firstBytes)).code, status.UNAVAILABLE)
      await assert.rejects(fetchTokens(port, firstSotwRequest), { code: status.UNAVAILABLE })
    }))

  test('ends streams with UNAVAILABLE when it stops, and at their greatest age', async () => {
    const adapter = await start({ texts: noTexts })
    const ended = openStream(adapter.port, firstBytes, () => void adapter.close())
    assert.deepEqual([(await ended).code, (await ended).responses], [status.UNAVAILABLE, 1])
    await withAdapter({ texts: noTexts, streamMaxAgeMs: 300 }, async ({ port }) => {
      const { code, details } = await openStream(port, firstBytes)
      assert.equal(code, status.UNAVAILABLE)
      assert.match(details, /maximum stream age/)
    })
  })

  test('lives on when its disk cannot be read, and says so to nobody but its log', async () => {
    const failing: TextsOnDisk = {
      ...noTexts,
      textsAfter: () => {
        throw new Error('a secret of the disk')
      },
    }
    await withAdapter({ texts: failing }, async ({ port }) => {
      const { code, details } = await openStream(port, firstBytes)
      assert.deepEqual([code, details], [status.INTERNAL, 'internal error'])
      await assert.rejects(fetchTokens(port, firstSotwRequest), { code: status.INTERNAL })
    })
  })

  test('shows such enforcers in its fleet as partial, with the version that they ACKed', () =>
    withAdapter({ texts: noTexts }, async adapter => {
      const enforcer = startChoreoConnectEnforcer(adapter.port)
      try {
        const version = follower.state.position
        await until('it has ACKed', () => adapter.status().nodes[0]?.ackedVersion === version)
        const [node] = adapter.status().nodes
        assert.deepEqual(
          [node?.label, node?.instance, node?.protocol, node?.partial, node?.connected],
          ['commonEnforcerLabel', 'choreo-connect', 'sotw', true, true],
        )
        assert.equal((await openStream(adapter.port, Buffer.alloc(0))).code, status.INVALID_ARGUMENT)
      } finally {
        enforcer.close()
      }
    }))
})
