/** Keeping an issuer's keys current, against a real HTTP server and a clock by hand. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jwksLimitBytes } from '../../token/jwks-source.ts'
import { createManualTiming, json, type KeyServer, startKeyServer } from '../support/token-issuer.ts'
import { useSource } from '../support/token-source-fixture.ts'

describe('a JWKS source', () => {
  const t = useSource()

  it('loads at start, without being asked', async () => {
    t.server.publish([t.one])
    t.start()
    assert.equal(t.source.keySet(), undefined)
    assert.equal(t.source.status().loadedOnce, false)
    await t.settled(1)
    assert.deepEqual(t.kids(), ['one'])
    assert.equal(t.source.status().loadedOnce, true)
    assert.deepEqual(t.messages('info'), ['keys of the issuer loaded'])
  })

  it('tries again with growing, jittered pauses until the issuer answers, then at the refresh time', async () => {
    t.start({ refreshSeconds: 300 })
    const pausesMs: number[] = []
    for (let fetches = 1; fetches <= 9; fetches++) {
      await t.settled(fetches)
      pausesMs.push(t.timing.pendingDelaysMs()[0] as number)
      if (fetches === 8) t.server.publish([t.one])
      t.timing.advance(pausesMs.at(-1) as number)
    }
    assert.deepEqual(pausesMs, [375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 300_000])
    assert.deepEqual(t.kids(), ['one'])
    assert.equal(t.source.status().failureCount, 8)
  })

  it('spreads refreshes by 10 % to both sides', async () => {
    for (const [draw, expectedMs] of [
      [0, 270_000],
      [0.999_999, 330_000],
    ] as const) {
      t.server.publish([t.one])
      t.timing = createManualTiming()
      t.start({ refreshSeconds: 300, random: () => draw })
      await t.settled(1)
      assert.ok(Math.abs((t.timing.pendingDelaysMs()[0] as number) - expectedMs) < 1)
      t.source.close()
    }
  })

  it('drops a key that is gone from the JWKS at the next refresh, and keeps the identity of those that stay', async () => {
    t.server.publish([t.one, t.two])
    t.start()
    await t.settled(1)
    const [first, second] = t.source.keySet()?.keys ?? []
    assert.ok(first && second)
    const generation = t.source.generation()
    t.server.publish([t.two])
    t.timing.advance(300_000)
    await t.settled(2)
    assert.deepEqual([t.source.isCurrent(first), t.source.isCurrent(second)], [false, true])
    assert.notEqual(t.source.generation(), generation)
  })

  it('keeps its generation while the keys stay the same', async () => {
    t.server.publish([t.one, t.two])
    t.start()
    await t.settled(1)
    const generation = t.source.generation()
    t.server.publish([t.two, t.one])
    t.timing.advance(300_000)
    await t.settled(2)
    assert.equal(t.source.generation(), generation)
    assert.equal(t.messages('info').length, 1)
  })

  it('keeps the last good keys through an outage for their maximum age, and takes them again afterwards', async () => {
    t.server.publish([t.one])
    t.start({ refreshSeconds: 60, maxAgeSeconds: 100 })
    await t.settled(1)
    const [key] = t.source.keySet()?.keys ?? []
    const generation = t.source.generation()
    assert.ok(key)
    t.server.answers.set('/jwks', json({}, 500))
    await t.advanceTo(99_999)
    assert.match(t.source.status().lastError ?? '', /\/jwks: answered 500$/)
    assert.ok(t.messages('warn').length > 3, 'tries on, and says so')
    assert.equal(t.source.isCurrent(key), true)
    t.timing.advance(1)
    assert.equal(t.source.isCurrent(key), false)
    assert.equal(t.source.keySet(), undefined)
    assert.notEqual(t.source.generation(), generation)
    assert.equal(t.messages('error').filter(text => text.includes('too old')).length, 1)

    t.server.publish([t.one])
    assert.equal(await t.source.refetch(), 'loaded')
    assert.deepEqual(t.kids(), ['one'])
  })

  it('fetches again at most once in ten seconds, and callers share the fetch', async () => {
    t.server.publish([t.one])
    t.start()
    await t.settled(1)
    t.server.publish([t.one, t.two])
    const outcomes = await Promise.all([t.source.refetch(), t.source.refetch(), t.source.refetch()])
    assert.deepEqual(outcomes, ['loaded', 'loaded', 'loaded'])
    assert.equal(t.server.requests.length, 2)
    assert.deepEqual(t.kids(), ['one', 'two'])
    t.timing.advance(9_999)
    assert.equal(await t.source.refetch(), 'limited')
    assert.equal(t.server.requests.length, 2)
    t.timing.advance(1)
    assert.equal(await t.source.refetch(), 'loaded')
    assert.equal(t.server.requests.length, 3)
  })

  it('says failed, not limited, while the last fetch did', async () => {
    t.server.publish([t.one])
    t.start()
    await t.settled(1)
    t.server.answers.clear()
    assert.equal(await t.source.refetch(), 'failed')
    assert.equal(await t.source.refetch(), 'failed')
    assert.equal(t.server.requests.length, 2)
  })

  it('rejects nothing and fetches nothing once it is closed', async () => {
    t.server.publish([t.one])
    t.start()
    await t.settled(1)
    t.source.close()
    assert.equal(await t.source.refetch(), 'failed')
    assert.deepEqual(t.timing.pendingDelaysMs(), [])
    assert.deepEqual(t.kids(), ['one'])
  })

  it('ends the fetch under way when it is closed, without a word', async () => {
    t.server.answers.set('/jwks', () => {})
    t.start()
    await t.server.asked(1)
    const outcome = t.source.refetch()
    t.source.close()
    assert.equal(await outcome, 'failed')
    assert.deepEqual(t.log.lines, [])
    assert.deepEqual(t.timing.pendingDelaysMs(), [])
  })

  it('gives up on an issuer that does not answer in time', async () => {
    t.server.answers.set('/jwks', (_request, response) => void response.writeHead(200).write('{"keys":'))
    t.start()
    await t.server.asked(1)
    const outcome = t.source.refetch()
    t.timing.advance(5_000)
    assert.equal(await outcome, 'failed')
    assert.match(t.source.status().lastError ?? '', /\/jwks: no answer within 5000 ms$/)
  })

  const refused: [string, Parameters<KeyServer['answers']['set']>[1], RegExp][] = [
    [
      'a redirect',
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      /answered 302; redirects are not followed/,
    ],
    [
      'a body over the limit',
      json({ keys: [], filler: 'x'.repeat(jwksLimitBytes) }),
      /larger than 524288 bytes/,
    ],
    ['a body that is not JSON', (_request, response) => void response.end('<html>'), /not JSON/],
    ['JSON that is no JWKS', json({ certs: [] }), /not a JWKS/],
    ['a missing document', json({}, 404), /answered 404/],
    ['a connection that breaks', request => void request.socket.destroy(), /\/jwks: /],
  ]
  for (const [what, answer, expected] of refused) {
    it(`refuses ${what} and says so`, async () => {
      t.server.answers.set('/jwks', answer)
      t.server.publish([t.one], '/elsewhere')
      t.start()
      await t.settled(1)
      assert.equal(t.source.keySet(), undefined)
      assert.match(t.source.status().lastError ?? '', expected)
      assert.deepEqual(t.messages('error'), ['keys of the issuer could not be loaded'])
      assert.deepEqual(t.server.requests, ['/jwks'])
    })
  }

  it('names the cause when nobody listens', async () => {
    await t.server.close()
    t.start()
    await t.settled(1)
    assert.match(t.source.status().lastError ?? '', /ECONNREFUSED/)
    t.server = await startKeyServer()
  })

  it('warns about secret keys in the JWKS, and about a JWKS without usable keys', async () => {
    t.server.answers.set('/jwks', json({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }))
    t.start()
    await t.settled(1)
    assert.equal(t.source.keySet()?.keys.size, 0)
    assert.equal(t.messages('warn').length, 2)
    assert.ok(!JSON.stringify(t.log.lines).includes('c2VjcmV0'))
  })

  it('throws at once for settings that are no URLs', () => {
    const invalid = { code: 'ERR_CONFIG_INVALID' }
    for (const jwksUri of ['', 'jwks', 'file:///jwks', 'https://user:pw@op.example/jwks']) {
      assert.throws(() => t.start({ jwksUri }), { ...invalid, message: /^jwksUri of / })
    }
    assert.throws(() => t.start({ issuer: 'op', jwksUri: undefined }), {
      ...invalid,
      message: /^issuer without jwksUri/,
    })
  })
})
