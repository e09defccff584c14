/**
 * The admin API of a running `rescind all`: what it refuses, with the field and what is allowed, and nothing appended.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCommandLine } from '../support/command-line.ts'
import { freePort } from '../support/ports.ts'
import { assertNothingAppended, post, postRevocation, revokeAsAdmin } from '../support/revoking.ts'
import { adminToken, type Stack, startStack } from '../support/stack.ts'

const now = () => Math.floor(Date.now() / 1000)
const inAnHour = () => now() + 3600

describe('the admin API', () => {
  let stack: Stack
  let port: number
  before(async () => {
    stack = await startStack()
    port = stack.ports.revoker
  })
  after(() => stack.stop())

  const refused: readonly {
    what: string
    code: string
    detail: RegExp
    body: (iss: string) => object
  }[] = [
    {
      what: 'an issuer that is not configured',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^match\.iss: not one of the configured issuers \(http/,
      body: () => ({ match: { iss: 'https://op.example', sub: 'u' }, expiresAt: inAnHour() }),
    },
    {
      what: 'a claim set that nobody declared',
      code: 'ERR_CLAIM_SET_UNKNOWN',
      detail: /claims iss \+ tenant together/,
      body: iss => ({ match: { iss, tenant: 't' }, expiresAt: inAnHour() }),
    },
    {
      what: 'an unknown name with $',
      code: 'ERR_REVOCATION_INVALID',
      detail: /match\.\$user: unknown; names with \$ are \$client, /,
      body: iss => ({ match: { iss, $user: 'u' }, expiresAt: inAnHour() }),
    },
    {
      what: 'a whole issuer without issuerWide',
      code: 'ERR_REVOCATION_INVALID',
      detail: /set issuerWide to true/,
      body: iss => ({ match: { iss }, issuedBefore: 'now' }),
    },
    {
      what: 'a whole key without issuerWide',
      code: 'ERR_REVOCATION_INVALID',
      detail: /set issuerWide to true/,
      body: iss => ({ match: { iss, $kid: 'k' }, expiresAt: inAnHour() }),
    },
    {
      what: 'no claims',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^match: must name 1 to 8 claims/,
      body: () => ({ match: {}, expiresAt: inAnHour() }),
    },
    {
      what: 'neither a token nor claims',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^give either token or match$/,
      body: () => ({ expiresAt: inAnHour() }),
    },
    {
      what: 'a block without an end',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^give expiresAt, or issuedBefore/,
      body: iss => ({ match: { iss, sub: 'u' } }),
    },
    {
      what: 'a cut with an end of its own',
      code: 'ERR_REVOCATION_INVALID',
      detail: /not both$/,
      body: iss => ({ match: { iss, sub: 'u' }, issuedBefore: 'now', expiresAt: inAnHour() }),
    },
    {
      what: 'a cut in the future',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^issuedBefore: more than 60 s in the future$/,
      body: iss => ({ match: { iss, sub: 'u' }, issuedBefore: now() + 120 }),
    },
    {
      what: 'a value that is a fraction',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^match\.sub: must be a string, a safe integer or a boolean/,
      body: iss => ({ match: { iss, sub: 1.5 }, expiresAt: inAnHour() }),
    },
    {
      what: 'a value that is a list',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^match\.sub: must be/,
      body: iss => ({ match: { iss, sub: ['u'] }, expiresAt: inAnHour() }),
    },
    {
      what: 'a value with a lone surrogate',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^match\.sub: must be .*without lone surrogates$/,
      body: iss => ({ match: { iss, sub: '\ud800' }, expiresAt: inAnHour() }),
    },
    {
      what: 'a token that no enforcer accepts',
      code: 'ERR_REVOCATION_INVALID',
      detail: /^token: not a token that an enforcer accepts \(malformed\)$/,
      body: () => ({ token: 'opaque' }),
    },
    {
      what: 'a field that is not known',
      code: 'ERR_REQUEST_INVALID',
      detail: /additional properties/,
      body: iss => ({ match: { iss, sub: 'u' }, expiresAt: inAnHour(), issuedbefore: 1 }),
    },
    {
      what: 'an expiresAt as text',
      code: 'ERR_REQUEST_INVALID',
      detail: /expiresAt must be integer/,
      body: iss => ({ match: { iss, sub: 'u' }, expiresAt: '9999999999' }),
    },
  ]
  for (const { what, code, detail, body } of refused) {
    test(`refuses ${what} with 400, and appends nothing`, async () => {
      const answer = await assertNothingAppended(port, () => postRevocation(port, body(stack.issuer.issuer)))
      assert.equal(answer.status, 400, answer.body)
      const problem = JSON.parse(answer.body) as { code: string; detail: string }
      assert.equal(problem.code, code)
      assert.match(problem.detail, detail)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json\b/)
    })
  }

  const strangers: readonly { what: string; headers: Record<string, string>; challenge: string }[] = [
    { what: 'nobody', headers: {}, challenge: 'Bearer' },
    {
      what: 'a wrong token',
      headers: { authorization: 'Bearer wrong' },
      challenge: 'Bearer error="invalid_token"',
    },
    {
      what: 'a token that is longer by a character',
      headers: { authorization: `Bearer ${adminToken}x` },
      challenge: 'Bearer error="invalid_token"',
    },
    {
      what: 'the token as Basic credentials',
      headers: { authorization: `Basic ${Buffer.from(`tester:${adminToken}`).toString('base64')}` },
      challenge: 'Bearer',
    },
  ]
  for (const { what, headers, challenge } of strangers) {
    test(`refuses ${what} with 401, and appends nothing`, async () => {
      const body = { match: { iss: stack.issuer.issuer, sub: 'victim' }, expiresAt: inAnHour() }
      const answer = await assertNothingAppended(port, () => postRevocation(port, body, headers))
      assert.equal(answer.status, 401)
      assert.equal(answer.headers.get('www-authenticate'), challenge)
    })
  }

  test('refuses a body that is not JSON, or too large, in a sentence', async () => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const [broken, large] = await assertNothingAppended(port, async () => [
      await post(port, '/revocations', '{"match":', headers),
      await post(port, '/revocations', JSON.stringify({ reason: 'x'.repeat(100_000) }), headers),
    ])
    assert.deepEqual([broken?.status, large?.status], [400, 413])
    for (const answer of [broken, large]) {
      assert.equal(JSON.parse(answer?.body ?? '').code, 'ERR_REQUEST_INVALID')
    }
  })

  test('is told by the command line what the revoker said, in one line', async () => {
    const env = { RESCIND_ADMIN_TOKEN: adminToken }
    const server = `http://127.0.0.1:${port}`
    const nobody = `http://127.0.0.1:${await freePort()}`
    const expected: readonly [string[], Record<string, string>, RegExp][] = [
      [['opaque', '--server', server], env, /answered 400: token: not a token that an enforcer accepts/],
      [['opaque', '--server', server], { RESCIND_ADMIN_TOKEN: 'wrong' }, /answered 401: a bearer token of/],
      [['opaque', '--server', nobody], env, /cannot be reached \(.*ECONNREFUSED.*\); name another one with/],
      [['opaque', '--server', server], { RESCIND_ADMIN_TOKEN: '' }, /set RESCIND_ADMIN_TOKEN or/],
      [
        ['opaque', '--server', server],
        { RESCIND_ADMIN_TOKEN: '', RESCIND_ADMIN_TOKEN_FILE: '/no/such/file' },
        /RESCIND_ADMIN_TOKEN_FILE: .*\/no\/such\/file/,
      ],
      [['opaque', '--server', 'not-a-url'], env, /--server: .*not-a-url/],
    ]
    for (const [args, variables, message] of expected) {
      const result = await runCommandLine(['revoke', ...args], { env: variables })
      assert.match(result.stderr, message)
      assert.match(result.stderr, /^error: [^\n]+ \[ERR_REQUEST_FAILED\]\n$/)
      assert.deepEqual([result.exitCode, result.stdout], [1, ''])
    }
  })

  test('warns once before the token of the administrator leaves the machine in the clear', async () => {
    const env = { RESCIND_ADMIN_TOKEN: adminToken }
    const { stderr } = await runCommandLine(['list', '--server', 'http://revoker.invalid:8280'], { env })
    assert.equal(
      stderr.match(/^warning: .* revoker\.invalid:8280 without encryption; use https$/gm)?.length,
      1,
    )
    assert.ok(!stderr.includes(adminToken))
  })

  test('takes the token of the administrator from a file too', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-admin-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'token'), `${adminToken}\n`)
    const result = await runCommandLine(['revoke', '-', '--server', `http://127.0.0.1:${port}`], {
      env: { RESCIND_ADMIN_TOKEN: '', RESCIND_ADMIN_TOKEN_FILE: join(folder, 'token') },
      input: await stack.issuer.sign({ jti: 'from-a-file' }),
    })
    assert.equal(result.exitCode, 0, result.stderr)
    assert.match(
      result.stdout,
      /^revoked: iss=http:\/\/\S+ jti=from-a-file\nversion \d+, kept until \S+\nid [0-9a-f]{64}\n$/,
    )
  })

  test('answers 404 when no administrator is configured', async t => {
    const other = await startStack({
      edit: config => {
        config.revoker.admin.tokens = []
      },
    })
    t.after(() => other.stop())
    const answer = await postRevocation(other.ports.revoker, { match: { jti: 'x' }, expiresAt: inAnHour() })
    assert.deepEqual([answer.status, JSON.parse(answer.body).code], [404, 'ERR_ADMIN_OFF'])
    await assert.rejects(revokeAsAdmin(other.ports.revoker, { match: { jti: 'x' }, expiresAt: inAnHour() }))
  })
})
