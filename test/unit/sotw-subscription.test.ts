/** An enforcer that is fed by an adapter of Choreo Connect: what it keeps, when it is ready, what it refuses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createSotwSubscription } from '../../enforcer/discovery/sotw-subscription.ts'
import { revokedTokenCodec, revokedTokenTypeUrl, sotwResponseCodec } from '../../proto/wire.ts'
import { tableRejects } from '../support/decide.ts'
import { token } from '../support/revocations.ts'

const nowSeconds = 1_000
const lifetimeSeconds = 100
const readyAfterMs = 5_000

const create = (options: { revocationsLimit?: number } = {}) =>
  createSotwSubscription({
    label: 'label',
    instance: 'instance',
    revocationsLimit: 1_000_000,
    readyAfterMs,
    clockToleranceSeconds: 0,
    maxTokenLifetimeSeconds: lifetimeSeconds,
    ...options,
  })
type Feed = ReturnType<typeof create>

const resource = (jti: string, expirytime = 2_000_000) => ({
  type_url: revokedTokenTypeUrl,
  value: revokedTokenCodec.encode({ jti, expirytime }),
})
const response = (
  resources: readonly { type_url: string; value: Buffer }[],
  { versionInfo = '7919', nonce = 'n1' } = {},
) => sotwResponseCodec.encode({ versionInfo, nonce, resources: [...resources] })

/** Works on a response to its end; also how many steps that took. */
const receive = (feed: Feed, bytes: Buffer, atSeconds = nowSeconds) => {
  feed.take(bytes)
  for (let steps = 1; ; steps++) {
    const reaction = feed.work(0, atSeconds)
    if (reaction !== undefined) return { ...reaction, steps }
    assert.ok(feed.busy)
  }
}
const rejects = ({ snapshot }: Feed, jti: string, atSeconds = nowSeconds, iss = 'https://issuer.example') =>
  tableRejects(snapshot.table, snapshot.claimSets, token({ iss, jti }, atSeconds), atSeconds)

describe('tokens', () => {
  test('are added to those that came before, and rejected whoever issued them', () => {
    const feed = create()
    receive(feed, response([resource('a')]))
    receive(feed, response([resource('b'), resource('c')], { versionInfo: '3' }))
    receive(feed, response([]))
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map(jti => rejects(feed, jti)),
      [true, true, true, false],
    )
    assert.ok(rejects(feed, 'a', nowSeconds, 'https://another.example'))
  })

  for (const [name, expirytime] of Object.entries({ missing: 0, past: 999_000, negative: -5 })) {
    test(`whose expiry is ${name} are kept as long as a token can live`, () => {
      const feed = create()
      receive(feed, response([resource('a', expirytime)]))
      assert.ok(rejects(feed, 'a', nowSeconds + lifetimeSeconds - 1))
      assert.ok(!rejects(feed, 'a', nowSeconds + lifetimeSeconds))
    })
  }

  test('that come again with an earlier expiry, or none, are kept until the later one', () => {
    const feed = create()
    for (const expirytime of [2_000_000, 1_500_000, 0]) receive(feed, response([resource('a', expirytime)]))
    assert.ok(rejects(feed, 'a', 1_999))
    assert.ok(!rejects(feed, 'a', 2_000))
  })

  test('by the ten thousand in one message are stored in small steps, and ACKed after the last', () => {
    const feed = create()
    const bytes = response(Array.from({ length: 40_000 }, (_, index) => resource(`j${index}`)))
    const { steps, request } = receive(feed, bytes)
    assert.ok(steps >= 80)
    assert.deepEqual([request?.responseNonce, request?.errorDetail], ['n1', undefined])
    assert.ok(rejects(feed, 'j0') && rejects(feed, 'j39999'))
    assert.equal(feed.snapshot.table.size, 40_000)
  })

  test('stay when the stream breaks amid a message, and the next stream begins afresh', () => {
    const feed = create()
    feed.take(response(Array.from({ length: 2_000 }, (_, index) => resource(`j${index}`))))
    feed.work(0, nowSeconds)
    feed.closed(0)
    assert.equal(feed.open().versionInfo, '')
    assert.ok(!feed.busy)
    assert.equal(feed.snapshot.table.size, 500)
    receive(feed, response([resource('a')]))
    assert.ok(rejects(feed, 'a'))
  })
})

describe('requests', () => {
  test('name who asks; the first of a stream the version that was accepted last, and no nonce', () => {
    const feed = create()
    const node = { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'instance' } } } }
    assert.deepEqual(feed.open(), { node, typeUrl: revokedTokenTypeUrl, versionInfo: '' })
    receive(feed, response([resource('a')], { versionInfo: '-8841' }))
    assert.deepEqual(feed.open(), { node, typeUrl: revokedTokenTypeUrl, versionInfo: '-8841' })
  })

  test('ACK a response with its version and nonce, whatever the version is', () => {
    const feed = create()
    for (const versionInfo of ['900', '3', 'not a number', '']) {
      const { request, received } = receive(feed, response([resource('a')], { versionInfo, nonce: 'x' }))
      assert.deepEqual([request?.versionInfo, request?.responseNonce], [versionInfo, 'x'])
      assert.equal(received?.version, versionInfo)
    }
  })
})

describe('ready', () => {
  test('is an enforcer whose stream has been open for a while, and it stays so', () => {
    const feed = create()
    const isReady = (nowMs: number) => feed.notReadyReasons(nowMs).length === 0
    assert.ok(!isReady(100_000))
    feed.connected(100_000)
    assert.ok(!isReady(104_999))
    feed.closed(104_999)
    assert.ok(!isReady(105_000))
    feed.connected(106_000)
    // Each response says again that it is connected.
    feed.connected(110_000)
    assert.ok(!isReady(110_999))
    assert.ok(isReady(111_000))
    feed.closed(111_000)
    assert.ok(isReady(999_000))
  })

  test('is no enforcer with more tokens than it may hold', () => {
    const feed = create({ revocationsLimit: 1 })
    feed.connected(0)
    receive(feed, response([resource('a'), resource('b')]))
    assert.match(feed.notReadyReasons(readyAfterMs).join(), /enforcer\.maxRevocations \(1\) is passed: 2/)
  })

  test('staleness is nothing while the stream is open, and the time since it broke', () => {
    const feed = create()
    assert.equal(feed.stalenessMs(5), Number.POSITIVE_INFINITY)
    feed.connected(10)
    assert.equal(feed.stalenessMs(99_999), 0)
    feed.closed(100_000)
    feed.closed(101_000)
    assert.equal(feed.stalenessMs(103_000), 3_000)
    feed.connected(104_000)
    assert.equal(feed.stalenessMs(105_000), 0)
  })
})

describe('a response that cannot be used', () => {
  const ofAnotherType = { type_url: 'type.googleapis.com/other', value: Buffer.alloc(0) }
  const wrong: Record<string, { type_url: string; value: Buffer }> = {
    'with something of another type': ofAnotherType,
    'with a token that is not protobuf': { type_url: revokedTokenTypeUrl, value: Buffer.from([10, 200]) },
    'with a jti that is cut off': { type_url: revokedTokenTypeUrl, value: Buffer.from([10, 5, 97]) },
    'with a token without jti': resource(''),
    'with a jti that is too long': resource('x'.repeat(1_025)),
  }
  for (const [name, bad] of Object.entries(wrong)) {
    test(`${name} is refused with the last accepted version; the tokens beside it count`, () => {
      const feed = create()
      receive(feed, response([resource('a')], { versionInfo: '1', nonce: 'first' }))
      const bytes = response([resource('b'), bad, resource('c')], { versionInfo: '2', nonce: 'second' })
      const { request, problem, received } = receive(feed, bytes)
      assert.equal(received, undefined)
      assert.deepEqual([request?.versionInfo, request?.responseNonce], ['1', 'second'])
      assert.equal(request?.errorDetail?.message, problem)
      assert.ok(problem !== undefined && problem.length > 10)
      assert.ok(rejects(feed, 'b') && rejects(feed, 'c'))
    })
  }

  test('is refused at once the first time, and then ever later, until one is accepted', () => {
    const feed = create()
    const waits = () => receive(feed, response([ofAnotherType])).waitMs
    assert.deepEqual(
      Array.from({ length: 8 }, waits),
      [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
    )
    assert.equal(receive(feed, response([resource('a')])).waitMs, undefined)
    assert.equal(waits(), 0)
  })

  test('is refused if it holds too many tokens, or too long a version', () => {
    const tooMany = Buffer.concat(Array.from({ length: 500_001 }, () => Buffer.from([18, 0])))
    assert.match(receive(create(), tooMany).problem ?? '', /more than 500000 tokens/)
    const tooLong = response([], { versionInfo: 'v'.repeat(1_025) })
    assert.match(receive(create(), tooLong).problem ?? '', /too long/)
  })

  test('is never more than a refusal, whatever its bytes', () => {
    const valid = response([resource('a'), resource('b'), ofAnotherType])
    const spoilt = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
      .map(([at, byte, length]) => {
        const bytes = Buffer.from(valid)
        bytes[at] = byte
        return bytes.subarray(0, length)
      })
    const garbage = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(spoilt, garbage), bytes => {
        const { request } = receive(create(), bytes)
        assert.ok(request !== undefined)
      }),
      { numRuns: 2_000 },
    )
  })
})
