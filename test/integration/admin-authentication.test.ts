/** Who may use the admin API: by a static token or by an access token with a scope; nobody else. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { hashSecret } from '../../token/secret.ts'
import { createTokenVerifier, type TokenVerifier } from '../../token/verifier.ts'
import { assertProblem, createAdminClient } from '../support/admin-client.ts'
import { type AdminServer, startAdminServer } from '../support/admin-server.ts'
import { until } from '../support/condition.ts'
import { createTestIssuer, type TestIssuer } from '../support/issuer.ts'
import { createKeptLogger } from '../support/kept-logger.ts'
import { startStack } from '../support/stack.ts'

const now = () => Math.floor(Date.now() / 1000)
const expiresAt = now() + 3600
const tokens = async (...names: readonly string[]) =>
  Promise.all(names.map(async name => ({ name, hash: await hashSecret(`token-of-${name}`) })))

const routes: readonly [method: string, path: string, body?: object][] = [
  ['POST', '/revocations', { match: { jti: 'x' }, expiresAt }],
  ['POST', '/revocations:batch', { revocations: [{ match: { jti: 'x' }, expiresAt }] }],
  ['GET', '/revocations'],
  ['DELETE', `/revocations/${'0'.repeat(64)}`],
  ['GET', '/claim-sets'],
  ['POST', '/claim-sets', { names: ['x'] }],
  ['POST', '/explain', { token: 'x' }],
  ['GET', '/events'],
  ['GET', '/events/rejected'],
]

describe('a static token', () => {
  let server: AdminServer
  before(async () => {
    server = await startAdminServer({ credentials: { tokens: await tokens('alice', 'bob') } })
  })
  after(() => server.close())

  test('is that of one administrator, whose name stands in the event', async () => {
    for (const name of ['alice', 'bob', 'alice']) {
      const client = createAdminClient(server.url, `Bearer token-of-${name}`)
      const { id } = await client.do('POST', '/revocations', {
        match: { jti: `of-${name}-${randomUUID()}` },
        expiresAt,
      })
      const { revocations } = await client.do('GET', `/revocations?actor=admin%3A${name}`)
      assert.equal(revocations.at(-1).id, id)
    }
  })
  for (const [method, path, body] of routes) {
    test(`is needed for ${method} ${path.slice(0, 20)}`, async () => {
      const before = server.store.entries.length
      for (const authorization of [undefined, 'Basic YWxpY2U6dG9rZW4=']) {
        const answer = await createAdminClient(server.url, authorization ?? '').ask(method, path, body)
        assertProblem(answer, 401, 'ERR_ADMIN_UNAUTHENTICATED')
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
      }
      assert.equal(server.store.entries.length, before)
    })
  }

  test('that is wrong is refused, after ten of them for a while unseen; one that was right goes on', async t => {
    const guessed = await startAdminServer({ credentials: { tokens: await tokens('alice') } })
    t.after(() => guessed.close())
    const alice = createAdminClient(guessed.url, 'Bearer token-of-alice')
    await alice.do('GET', '/claim-sets')
    const guess = (number: number) =>
      createAdminClient(guessed.url, `Bearer guess-${number}`).ask('GET', '/claim-sets')
    const answers = []
    for (let number = 0; number < 12; number++) answers.push(await guess(number))
    const first = answers[0] as (typeof answers)[0]
    assertProblem(first, 401, 'ERR_ADMIN_UNAUTHENTICATED')
    assert.equal(first.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    const last = answers.at(-1) as typeof first
    assertProblem(last, 429, 'ERR_TOO_MANY_ATTEMPTS')
    assert.match(last.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    await alice.do('GET', '/claim-sets')
    const refused = guessed.lines.filter(({ message }) => message === 'an administrator was refused')
    assert.deepEqual([refused[0]?.level, refused[0]?.fields.from], ['warn', '127.0.0.1'])
    assert.ok(!JSON.stringify(guessed.lines).includes('guess-'))
  })

  test('lets pages of other sites do nothing: there are no CORS headers', async () => {
    const response = await fetch(`${server.url}/revocations`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    assert.equal(response.status, 404)
    const answer = await createAdminClient(server.url, 'Bearer token-of-alice').ask(
      'GET',
      '/claim-sets',
      undefined,
      { origin: 'https://evil.example' },
    )
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  })
})

test('with no administrators everything is 404', async t => {
  const server = await startAdminServer()
  t.after(() => server.close())
  for (const [method, path, body] of routes) {
    assertProblem(
      await createAdminClient(server.url, 'Bearer x').ask(method, path, body),
      404,
      'ERR_ADMIN_OFF',
    )
  }
})

describe('an access token', () => {
  let issuer: TestIssuer
  let other: TestIssuer
  let verifier: TokenVerifier
  let server: AdminServer
  const audience = 'https://revoker.example/admin'
  const scope = 'rescind.admin'
  const maxStalenessMs = 60_000
  before(async () => {
    issuer = await createTestIssuer()
    other = await createTestIssuer()
    const issuerSettings = ({ issuer: name, jwksUri }: TestIssuer, audiences: string[]) => ({
      issuer: name,
      jwksUri,
      audiences,
    })
    const { logger } = createKeptLogger()
    verifier = createTokenVerifier({ issuers: [issuerSettings(issuer, [audience])], logger })
    server = await startAdminServer({
      issuers: [issuerSettings(issuer, []), issuerSettings(other, [])],
      credentials: { tokens: await tokens('alice'), accessTokens: { verifier, scope, maxStalenessMs } },
    })
  })
  after(async () => {
    await server.close()
    verifier.close()
    await issuer.stop()
    await other.stop()
  })

  const ask = (token: string) => createAdminClient(server.url, `Bearer ${token}`).ask('GET', '/claim-sets')
  const good = { aud: audience, scope: `openid ${scope}`, sub: 'ops' }

  test('with the audience and the scope is that of an administrator, named by its subject', async () => {
    const token = await issuer.sign(good)
    const admin = createAdminClient(server.url, `Bearer ${token}`)
    await admin.do('POST', '/revocations', { match: { jti: 'by-jwt' }, expiresAt })
    const { revocations } = await admin.do('GET', '/revocations?jti=by-jwt')
    assert.equal(revocations[0].actor, 'admin:jwt:ops')
    for (const scopes of [{ scope: [scope] }, { scope: undefined, scp: [scope] }]) {
      assert.equal((await ask(await issuer.sign({ ...good, ...scopes }))).status, 200)
    }
    await createAdminClient(server.url, 'Bearer token-of-alice').do('GET', '/claim-sets')
  })

  const refused: readonly [what: string, reason: string, token: () => Promise<string>][] = [
    ['without the scope', 'missing_scope', () => issuer.sign({ ...good, scope: 'openid' })],
    ['with a longer scope', 'missing_scope', () => issuer.sign({ ...good, scope: `${scope}.read` })],
    ['for another audience', 'wrong_audience', () => issuer.sign({ ...good, aud: 'https://api.example' })],
    ['for no audience', 'wrong_audience', () => issuer.sign({ ...good, aud: undefined })],
    ['of another issuer', 'unknown_issuer', () => other.sign(good)],
    ['that nobody signed', 'algorithm_not_allowed', () => issuer.sign(good, { alg: 'none' })],
    ['that has expired', 'expired', () => issuer.sign({ ...good, iat: now() - 900, exp: now() - 600 })],
    ['that lives too long', 'lifetime_too_long', () => issuer.sign({ ...good, exp: now() + 9e6 })],
  ]
  for (const [what, reason, token] of refused) {
    test(`${what} is refused`, async () => {
      assert.equal((await ask(await issuer.sign(good))).status, 200)
      const answer = await ask(await token())
      assertProblem(answer, 401, 'ERR_ADMIN_UNAUTHENTICATED')
      assert.ok(answer.body.detail.includes(`(${reason})`), answer.body.detail)
    })
  }

  test('that is revoked is refused from then on', async () => {
    const token = await issuer.sign({ ...good, sub: 'leaver' })
    const alice = createAdminClient(server.url, 'Bearer token-of-alice')
    assert.equal((await ask(token)).status, 200)
    const match = { iss: issuer.issuer, sub: 'leaver' }
    const { version } = await alice.do('POST', '/revocations', { match, issuedBefore: 'now' })
    await server.follower.reached(version)
    const answer = await ask(token)
    assertProblem(answer, 401, 'ERR_ADMIN_UNAUTHENTICATED')
    assert.match(answer.body.detail, /\(revoked\)/)
    assert.equal((await ask(await issuer.sign(good))).status, 200)
  })

  const verifierOf = () =>
    createTokenVerifier({
      issuers: [
        { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [audience], jwksRefreshSeconds: 1 },
      ],
      logger: createKeptLogger().logger,
    })

  test('whose key the issuer has withdrawn is refused, although a revoker goes on revoking such tokens', async t => {
    const own = verifierOf()
    const refreshing = await startAdminServer({
      credentials: { accessTokens: { verifier: own, scope, maxStalenessMs } },
    })
    t.after(async () => {
      await refreshing.close()
      own.close()
    })
    const token = await issuer.sign(good)
    const admin = createAdminClient(refreshing.url, `Bearer ${token}`)
    await admin.do('GET', '/claim-sets')
    await issuer.rotate()
    await until('it is refused', async () => (await admin.ask('GET', '/claim-sets')).status === 401)
  })

  test('of an issuer whose keys cannot be had is answered with 503', async t => {
    const token = await issuer.sign(good)
    issuer.broken = true
    const own = verifierOf()
    const outage = await startAdminServer({
      credentials: { accessTokens: { verifier: own, scope, maxStalenessMs } },
    })
    t.after(async () => {
      issuer.broken = false
      await outage.close()
      own.close()
    })
    const answer = await createAdminClient(outage.url, `Bearer ${token}`).ask('GET', '/claim-sets')
    assertProblem(answer, 503, 'ERR_KEYS_UNAVAILABLE')
  })

  test('is answered with 503 when the log has not been heard of for too long; a static token still counts', async t => {
    const longAgo = await startAdminServer({
      issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [] }],
      credentials: {
        tokens: await tokens('alice'),
        // However short ago the log was looked at, that is too long.
        accessTokens: { verifier, scope, maxStalenessMs: 0 },
      },
    })
    t.after(() => longAgo.close())
    const token = await issuer.sign(good)
    const answer = await createAdminClient(longAgo.url, `Bearer ${token}`).ask('GET', '/claim-sets')
    assertProblem(answer, 503, 'ERR_LOG_BEHIND')
    await createAdminClient(longAgo.url, 'Bearer token-of-alice').do('GET', '/claim-sets')
  })
})

test('the configuration names issuer, audience and scope of access tokens, and other tokens of the issuer are refused', async t => {
  const audience = 'https://revoker.example/admin'
  const stack = await startStack({
    edit: config => {
      config.revoker.admin.jwt = { issuer: config.issuers[0].issuer, audience, scope: 'rescind.admin' }
    },
  })
  t.after(() => stack.stop())
  const ask = async (claims: object) => {
    const token = await stack.issuer.sign({ scope: 'rescind.admin', ...claims })
    return createAdminClient(`http://127.0.0.1:${stack.ports.revoker}`, `Bearer ${token}`).ask(
      'GET',
      '/claim-sets',
    )
  }
  assert.equal((await ask({ aud: audience })).status, 200)
  assertProblem(await ask({}), 401, 'ERR_ADMIN_UNAUTHENTICATED')
  assertProblem(await ask({ aud: audience, scope: 'rescind.read' }), 401, 'ERR_ADMIN_UNAUTHENTICATED')
})
