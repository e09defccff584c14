/**
 * What `rescind` writes while tokens and secrets pass through it in every way, at log level trace: none of them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { stringify } from 'yaml'
import { hashSecret } from '../../token/secret.ts'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import { basic, post, postRevocation, revokeAs } from '../support/revoking.ts'
import { adminToken, type Stack, startStack, testClient } from '../support/stack.ts'
import { withPayload } from '../support/token-forgery.ts'

describe('rescind all at log level trace', () => {
  let stack: Stack
  const secrets = new Map<string, string>()
  const secret = (what: string, value: string): string => {
    secrets.set(what, value)
    return value
  }
  /** A token of the client; neither it nor its signature may be seen. */
  const token = async (what: string): Promise<string> => {
    const text = await stack.issuer.sign({ client_id: testClient.id, jti: `id of ${what}` })
    secret(`signature of ${what}`, text.split('.')[2] as string)
    return secret(what, text)
  }
  const assertNoneIn = (output: string): void => {
    for (const [what, value] of secrets) assert.ok(!output.includes(value), `${what} is in the output`)
  }

  before(async () => {
    stack = await startStack({
      edit: config => {
        config.log.level = 'trace'
      },
    })
    secret('the secret of the client', testClient.secret)
    secret('its Basic header', basic(testClient).authorization.slice('Basic '.length))
    secret('the token of the administrator', adminToken)
    for (const { secretHash } of stack.config.revoker.clients) secret('the hash of a secret', secretHash)
  })
  after(() => stack.stop())

  test('logs who revoked what, but no token and no secret, whatever happens to them', async () => {
    const { revoker, enforcer: enforcerPort } = stack.ports
    const revoked = await token('a token that is revoked')
    const wrong = { id: testClient.id, secret: secret('a wrong secret', 'guessed-by-somebody') }
    secret('Basic header of a wrong secret', basic(wrong).authorization.slice('Basic '.length))
    const inBody = new URLSearchParams({
      token: await token('a token revoked with credentials in the body'),
      client_id: testClient.id,
      client_secret: testClient.secret,
    })
    const forged = secret(
      'a forged token',
      withPayload(await token('its original'), { sub: 'administrator' }),
    )

    assert.equal((await revokeAs(revoker, testClient, revoked)).status, 200)
    assert.equal((await post(revoker, '/revoke', inBody)).status, 200)
    await revokeAs(revoker, wrong, await token('a token that is not revoked'))
    await revokeAs(revoker, { id: 'nobody', secret: wrong.secret }, revoked)
    await revokeAs(revoker, testClient, forged)
    await revokeAs(revoker, testClient, secret('an opaque token', 'opaque-8b1c3f'))
    await post(revoker, '/oauth2/revoke', inBody, basic(testClient))
    await post(revoker, `/oauth2/revoke?token=${revoked}&client_secret=${testClient.secret}`, '')
    await post(revoker, `/${revoked}`, inBody)
    await post(revoker, '/revocations', `{"token":"${revoked}"`, {
      authorization: `Bearer ${adminToken}`,
      'content-type': 'application/json',
    })
    await postRevocation(revoker, { token: await token('a token that an administrator revokes') })
    await postRevocation(revoker, { token: forged })
    await postRevocation(revoker, { token: revoked }, { authorization: `Bearer ${wrong.secret}` })
    await postRevocation(revoker, { token: revoked }, { authorization: basic(testClient).authorization })

    const enforcer = createEnforcerClient(enforcerPort)
    await until('it is rejected', async () => (await enforcer.checkToken(revoked)).reason === 'revoked')
    await enforcer.checkToken(await token('a token that passes'))
    await enforcer.checkToken(forged)
    await enforcer.check({ authorization: `Bearer ${revoked},Bearer ${forged}` })
    await enforcer.check({ authorization: basic(testClient).authorization })
    await assert.rejects(enforcer.checkBytes(Buffer.from(`\u00ff${revoked}`, 'latin1')))
    enforcer.close()

    const expected = [
      `RevokedToken: ${decodeJwt(revoked).jti}, Token Type: JWT`,
      'client authentication failed',
      'nothing to revoke: not a valid token',
    ]
    const messages = () => stack.rescind.logs().map(line => line.msg)
    for (const message of expected) await until(message, () => messages().includes(message))
    assertNoneIn(stack.rescind.output())
  })

  test('writes no token and no secret with the command line either', async () => {
    const server = `http://127.0.0.1:${stack.ports.revoker}`
    const mine = await token('a token on standard input')
    const env = { RESCIND_ADMIN_TOKEN: adminToken }
    const results = [
      await runCommandLine(['revoke', '-', '--server', server], { env, input: mine }),
      await runCommandLine(['revoke', '-', '--server', server], { env, input: `${mine}x` }),
      await runCommandLine(['revoke', mine, '--server', 'http://127.0.0.1:1'], { env }),
    ]
    assert.deepEqual(
      results.map(result => result.exitCode),
      [0, 1, 1],
    )
    for (const { stdout, stderr } of results) assertNoneIn(stdout + stderr)
  })

  test('repeats no secret that stands in the wrong place of a configuration', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-secrets-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'rescind.yaml')
    const plain = secret('a secret that was not hashed', 'not-hashed-at-all')
    const hash = await hashSecret(secret('a secret that was hashed', 'hashed-as-it-should-be'))
    const clients = [
      { id: 'a', secretHash: plain },
      { id: 'b', secretHash: secret('a hash with a letter too much', `${hash}=x`) },
    ]
    writeFileSync(file, stringify({ issuers: [{ issuer: 'https://op.example' }], revoker: { clients } }))
    const result = await runCommandLine(['config', 'check', '--config', file], {
      env: { RESCIND_REVOKER_ADMIN_TOKENS: JSON.stringify([{ name: 'x', hash: plain }]) },
    })
    assert.match(result.stderr, /revoker\.clients\[0\]\.secretHash: /)
    assert.match(result.stderr, /revoker\.clients\[1\]\.secretHash: /)
    assert.match(result.stderr, /RESCIND_REVOKER_ADMIN_TOKENS: revoker\.admin\.tokens\[0\]\.hash: /)
    assertNoneIn(result.stdout + result.stderr)
  })

  test('wrote none of them until its end', async () => {
    await stack.rescind.kill('SIGTERM')
    assert.equal(stack.rescind.exitCode, 0)
    assertNoneIn(stack.rescind.output())
  })
})
