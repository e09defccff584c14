/** Keeping an issuer's keys current, against a real HTTP server and a clock by hand. */
import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, describe, it } from 'node:test'
import {
  createJwksSource,
  JWKS_LIMIT_BYTES,
  type JwksSource,
  type JwksSourceOptions,
} from '../../token/jwks-source.ts'
import { until } from '../support/condition.ts'
import {
  createKeptLog,
  createManualTiming,
  generatePair,
  json,
  type KeptLog,
  type KeyServer,
  type ManualTiming,
  type SigningPair,
  startKeyServer,
} from '../support/token-issuer.ts'

const OPENID = '/.well-known/openid-configuration'
const OAUTH = '/.well-known/oauth-authorization-server'

describe('a JWKS source', () => {
  let server: KeyServer
  let timing: ManualTiming
  let log: KeptLog
  let source: JwksSource
  let one: SigningPair
  let two: SigningPair

  before(async () => {
    one = await generatePair('ES256', 'one')
    two = await generatePair('ES256', 'two')
  })
  beforeEach(async () => {
    server = await startKeyServer()
    timing = createManualTiming()
    log = createKeptLog()
  })
  afterEach(async () => {
    source.close()
    await server.close()
  })

  function start(options: Partial<JwksSourceOptions> = {}): JwksSource {
    const jwksUri = `${server.origin}/jwks`
    source = createJwksSource({
      issuer: server.origin,
      jwksUri,
      logger: log,
      timing,
      random: () => 0.5,
      ...options,
    })
    return source
  }

  const loads = () => source.status().successCount + source.status().failureCount
  /** Waits until so many loads have ended, whatever their outcome. */
  const settled = (count: number) => until(`${count} loads have ended`, () => loads() === count)
  /** Moves the clock to a time, waiting for each load that falls due on the way. */
  const advanceTo = async (untilMs: number) => {
    while (timing.steadyNowMs() < untilMs) {
      const dueMs = timing.pendingDelaysMs()[0] as number
      const next = loads() + 1
      const stepMs = Math.min(dueMs, untilMs - timing.steadyNowMs())
      timing.advance(stepMs)
      if (stepMs === dueMs) await settled(next)
    }
  }
  const kids = () => [...(source.keySet()?.keys ?? [])].map(key => key.kid)
  const messages = (level: string) => log.lines.filter(line => line.level === level).map(line => line.message)

  it('loads at start, without being asked', async () => {
    server.publish([one])
    start()
    assert.equal(source.keySet(), undefined)
    assert.equal(source.status().loadedOnce, false)
    await settled(1)
    assert.deepEqual(kids(), ['one'])
    assert.equal(source.status().loadedOnce, true)
    assert.deepEqual(messages('info'), ['keys of the issuer loaded'])
  })

  it('tries again with growing, jittered pauses until the issuer answers, then at the refresh time', async () => {
    start({ refreshSeconds: 300 })
    const pausesMs: number[] = []
    for (let fetches = 1; fetches <= 9; fetches++) {
      await settled(fetches)
      pausesMs.push(timing.pendingDelaysMs()[0] as number)
      if (fetches === 8) server.publish([one])
      timing.advance(pausesMs.at(-1) as number)
    }
    assert.deepEqual(pausesMs, [375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 300_000])
    assert.deepEqual(kids(), ['one'])
    assert.equal(source.status().failureCount, 8)
  })

  it('spreads refreshes by 10 % to both sides', async () => {
    for (const [draw, expectedMs] of [
      [0, 270_000],
      [0.999_999, 330_000],
    ] as const) {
      server.publish([one])
      timing = createManualTiming()
      start({ refreshSeconds: 300, random: () => draw })
      await settled(1)
      assert.ok(Math.abs((timing.pendingDelaysMs()[0] as number) - expectedMs) < 1)
      source.close()
    }
  })

  it('drops a key that is gone from the JWKS at the next refresh, and keeps the identity of those that stay', async () => {
    server.publish([one, two])
    start()
    await settled(1)
    const [first, second] = source.keySet()?.keys ?? []
    assert.ok(first && second)
    const generation = source.generation()
    server.publish([two])
    timing.advance(300_000)
    await settled(2)
    assert.deepEqual([source.isCurrent(first), source.isCurrent(second)], [false, true])
    assert.notEqual(source.generation(), generation)
  })

  it('keeps its generation while the keys stay the same', async () => {
    server.publish([one, two])
    start()
    await settled(1)
    const generation = source.generation()
    server.publish([two, one])
    timing.advance(300_000)
    await settled(2)
    assert.equal(source.generation(), generation)
    assert.equal(messages('info').length, 1)
  })

  it('keeps the last good keys through an outage for their maximum age, and takes them again afterwards', async () => {
    server.publish([one])
    start({ refreshSeconds: 60, maxAgeSeconds: 100 })
    await settled(1)
    const [key] = source.keySet()?.keys ?? []
    const generation = source.generation()
    assert.ok(key)
    server.answers.set('/jwks', json({}, 500))
    await advanceTo(99_999)
    assert.match(source.status().lastError ?? '', /\/jwks: answered 500$/)
    assert.ok(messages('warn').length > 3, 'tries on, and says so')
    assert.equal(source.isCurrent(key), true)
    timing.advance(1)
    assert.equal(source.isCurrent(key), false)
    assert.equal(source.keySet(), undefined)
    assert.notEqual(source.generation(), generation)
    assert.equal(messages('error').filter(text => text.includes('too old')).length, 1)

    server.publish([one])
    assert.equal(await source.refetch(), 'loaded')
    assert.deepEqual(kids(), ['one'])
  })

  it('fetches again at most once in ten seconds, and callers share the fetch', async () => {
    server.publish([one])
    start()
    await settled(1)
    server.publish([one, two])
    const outcomes = await Promise.all([source.refetch(), source.refetch(), source.refetch()])
    assert.deepEqual(outcomes, ['loaded', 'loaded', 'loaded'])
    assert.equal(server.requests.length, 2)
    assert.deepEqual(kids(), ['one', 'two'])
    timing.advance(9_999)
    assert.equal(await source.refetch(), 'limited')
    assert.equal(server.requests.length, 2)
    timing.advance(1)
    assert.equal(await source.refetch(), 'loaded')
    assert.equal(server.requests.length, 3)
  })

  it('says failed, not limited, while the last fetch did', async () => {
    server.publish([one])
    start()
    await settled(1)
    server.answers.clear()
    assert.equal(await source.refetch(), 'failed')
    assert.equal(await source.refetch(), 'failed')
    assert.equal(server.requests.length, 2)
  })

  it('rejects nothing and fetches nothing once it is closed', async () => {
    server.publish([one])
    start()
    await settled(1)
    source.close()
    assert.equal(await source.refetch(), 'failed')
    assert.deepEqual(timing.pendingDelaysMs(), [])
    assert.deepEqual(kids(), ['one'])
  })

  it('ends the fetch under way when it is closed, without a word', async () => {
    server.answers.set('/jwks', () => {})
    start()
    await server.asked(1)
    const outcome = source.refetch()
    source.close()
    assert.equal(await outcome, 'failed')
    assert.deepEqual(log.lines, [])
    assert.deepEqual(timing.pendingDelaysMs(), [])
  })

  it('gives up on an issuer that does not answer in time', async () => {
    server.answers.set('/jwks', (_request, response) => void response.writeHead(200).write('{"keys":'))
    start()
    await server.asked(1)
    const outcome = source.refetch()
    timing.advance(5_000)
    assert.equal(await outcome, 'failed')
    assert.match(source.status().lastError ?? '', /\/jwks: no answer within 5000 ms$/)
  })

  const refused: [string, Parameters<KeyServer['answers']['set']>[1], RegExp][] = [
    [
      'a redirect',
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      /answered 302; redirects are not followed/,
    ],
    [
      'a body over the limit',
      json({ keys: [], filler: 'x'.repeat(JWKS_LIMIT_BYTES) }),
      /larger than 524288 bytes/,
    ],
    ['a body that is not JSON', (_request, response) => void response.end('<html>'), /not JSON/],
    ['JSON that is no JWKS', json({ certs: [] }), /not a JWKS/],
    ['a missing document', json({}, 404), /answered 404/],
    ['a connection that breaks', request => void request.socket.destroy(), /\/jwks: /],
  ]
  for (const [what, answer, expected] of refused) {
    it(`refuses ${what} and says so`, async () => {
      server.answers.set('/jwks', answer)
      server.publish([one], '/elsewhere')
      start()
      await settled(1)
      assert.equal(source.keySet(), undefined)
      assert.match(source.status().lastError ?? '', expected)
      assert.deepEqual(messages('error'), ['keys of the issuer could not be loaded'])
      assert.deepEqual(server.requests, ['/jwks'])
    })
  }

  it('names the cause when nobody listens', async () => {
    await server.close()
    start()
    await settled(1)
    assert.match(source.status().lastError ?? '', /ECONNREFUSED/)
    server = await startKeyServer()
  })

  it('warns about secret keys in the JWKS, and about a JWKS without usable keys', async () => {
    server.answers.set('/jwks', json({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }))
    start()
    await settled(1)
    assert.equal(source.keySet()?.keys.size, 0)
    assert.equal(messages('warn').length, 2)
    assert.ok(!JSON.stringify(log.lines).includes('c2VjcmV0'))
  })

  describe('without a JWKS URL', () => {
    const discover = (path = '') => start({ issuer: `${server.origin}${path}`, jwksUri: undefined })
    const metadata = (changes: object = {}) =>
      json({ issuer: server.origin, jwks_uri: `${server.origin}/jwks`, ...changes })

    it('finds it in the OpenID configuration', async () => {
      server.answers.set(OPENID, metadata())
      server.publish([one])
      discover()
      await settled(1)
      assert.deepEqual(kids(), ['one'])
      assert.deepEqual(server.requests, [OPENID, '/jwks'])
    })

    it('finds it in RFC 8414 metadata if there is no OpenID configuration', async () => {
      const issuer = `${server.origin}/tenant/7`
      server.answers.set(`${OAUTH}/tenant/7`, metadata({ issuer }))
      server.publish([one])
      discover('/tenant/7')
      await settled(1)
      assert.deepEqual(kids(), ['one'])
      assert.deepEqual(server.requests, [`/tenant/7${OPENID}`, `${OAUTH}/tenant/7`, '/jwks'])
    })

    it('asks only for the JWKS when an unknown key makes it fetch, and for the metadata at each refresh', async () => {
      server.answers.set(OPENID, metadata())
      server.publish([one])
      discover()
      await settled(1)
      await source.refetch()
      assert.deepEqual(server.requests.slice(2), ['/jwks'])
      server.answers.set(OPENID, metadata({ jwks_uri: `${server.origin}/moved` }))
      server.publish([two], '/moved')
      timing.advance(300_000)
      await settled(3)
      assert.deepEqual(server.requests.slice(3), [OPENID, '/moved'])
      assert.deepEqual(kids(), ['two'])
    })

    it('refuses the metadata of another issuer, and metadata without a usable JWKS URL', async () => {
      server.publish([one])
      const bad: [object, RegExp][] = [
        [{ issuer: `${server.origin}/` }, /is the metadata of .*, not of/],
        [{ issuer: undefined }, /is the metadata of nothing, not of/],
        [{ jwks_uri: undefined }, /jwks_uri must be a URL \(http: or https:\), got nothing/],
        [{ jwks_uri: 'file:///etc/passwd' }, /jwks_uri must be a URL/],
        [{ jwks_uri: 7 }, /jwks_uri must be a URL/],
      ]
      for (const [changes, expected] of bad) {
        timing = createManualTiming()
        server.answers.set(OPENID, metadata(changes))
        discover()
        await settled(1)
        assert.match(source.status().lastError ?? '', expected)
        source.close()
      }
      assert.ok(!server.requests.includes('/jwks'))
    })

    it('takes no plain http JWKS from an https issuer', async () => {
      const issuer = 'https://op.example'
      const answer = async () => Response.json({ issuer, jwks_uri: 'http://op.example/jwks' })
      start({ issuer, jwksUri: undefined, fetch: answer })
      await settled(1)
      assert.match(source.status().lastError ?? '', /jwks_uri must be a URL \(https:\)/)
    })

    it('says where it looked when there is no metadata', async () => {
      discover()
      await settled(1)
      assert.match(
        source.status().lastError ?? '',
        /no metadata at .*openid-configuration nor at .*; configure jwksUri/,
      )
    })
  })

  it('throws at once for settings that are no URLs', () => {
    const invalid = { code: 'ERR_CONFIG_INVALID' }
    for (const jwksUri of ['', 'jwks', 'file:///jwks', 'https://user:pw@op.example/jwks']) {
      assert.throws(() => start({ jwksUri }), { ...invalid, message: /^jwksUri of / })
    }
    assert.throws(() => start({ issuer: 'op', jwksUri: undefined }), {
      ...invalid,
      message: /^issuer without jwksUri/,
    })
  })
})
