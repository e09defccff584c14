/**
 * How clients prove who they are at the revocation endpoint of a running `rescind all`, and that nothing is appended
 * unless they do.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import { jwtBearer } from '../../revoker/clients/presented.ts'
import { assertNothingAppended, basic, post, revokeAs } from '../support/revoking.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'
import { generatePair, type KeyServer, type SigningPair, startKeyServer } from '../support/token-issuer.ts'

const now = () => Math.floor(Date.now() / 1000)
const failuresPerMinute = 12

describe('a client at the revocation endpoint', () => {
  let stack: Stack
  let port: number
  let keys: KeyServer
  let ofFile: SigningPair
  let ofUrl: SigningPair
  /** Calls its key as the client calls its own. */
  let forger: SigningPair
  const publicUrl = 'https://revoker.example'
  before(async () => {
    ofFile = await generatePair('ES256', 'one')
    ofUrl = await generatePair('RS256', 'two')
    forger = await generatePair('ES256', 'one')
    keys = await startKeyServer()
    keys.publish([ofUrl])
    stack = await startStack({
      edit: config => {
        const { issuer } = config.issuers[0]
        const jwksFile = join(dirname(config.eventLog.folder), 'jwks.json')
        writeFileSync(jwksFile, JSON.stringify({ keys: [ofFile.jwk] }))
        config.revoker.publicUrl = publicUrl
        config.revoker.limits = { failuresPerMinute, requestsPerSecond: 50 }
        config.revoker.clients.push(
          { id: 'spa', public: true, issuer },
          { id: 'signer', jwksFile, issuer },
          { id: 'remote', jwksUri: `${keys.origin}/jwks`, issuer },
          { id: 'busy', public: true, issuer },
        )
      },
    })
    port = stack.ports.revoker
  })
  after(async () => {
    await stack.stop()
    await keys.close()
  })

  const tokenOf = (client: string) => stack.issuer.sign({ client_id: client })
  const send = (fields: Record<string, string>, headers = {}) =>
    post(port, '/oauth2/revoke', new URLSearchParams(fields), headers)
  const assertion = (client: string, pair: SigningPair, claims: Record<string, unknown> = {}) =>
    new SignJWT({
      iss: client,
      sub: client,
      aud: `${publicUrl}/oauth2/revoke`,
      jti: randomUUID(),
      exp: now() + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: pair.alg, kid: pair.kid as string })
      .sign(pair.privateKey)
  const byAssertion = async (client: string, made: string) =>
    send({
      token: await tokenOf(client),
      client_assertion_type: jwtBearer,
      client_assertion: made,
    })

  test('that is public revokes its token with its client_id alone', async () => {
    const token = await tokenOf('spa')
    const answer = await send({ token, client_id: 'spa', token_type_hint: 'access_token' })
    assert.deepEqual([answer.status, answer.headers.get('revokedaccesstoken')], [200, token])
  })

  test('that is public revokes no token of another client', async () => {
    const token = await tokenOf(testClient.id)
    const answer = await assertNothingAppended(port, () => send({ token, client_id: 'spa' }))
    assert.deepEqual([answer.status, answer.headers.get('revokedaccesstoken')], [200, null])
  })

  test('that is public and comes with a secret is refused', async () => {
    const token = await tokenOf('spa')
    const answer = await assertNothingAppended(port, () =>
      send({ token }, basic({ id: 'spa', secret: 'anything' })),
    )
    assert.equal(answer.status, 401)
  })

  test('that has a key is refused with its client_id alone', async () => {
    const token = await tokenOf('signer')
    const answer = await assertNothingAppended(port, () => send({ token, client_id: 'signer' }))
    assert.equal(answer.status, 401)
  })

  for (const [client, pairOf] of [
    ['signer', () => ofFile],
    ['remote', () => ofUrl],
  ] as const) {
    test(`that signs an assertion revokes its token: ${client}`, async () => {
      const answer = await byAssertion(client, await assertion(client, pairOf()))
      assert.equal(answer.status, 200, answer.body)
      assert.notEqual(answer.headers.get('revokedaccesstoken'), null)
    })
  }

  test('may name the revoker itself as audience, and leave iat out', async () => {
    const made = await assertion('signer', ofFile, { aud: [publicUrl, 'https://other'] })
    assert.equal((await byAssertion('signer', made)).status, 200)
  })

  test('uses an assertion once', async () => {
    const made = await assertion('signer', ofFile)
    assert.equal((await byAssertion('signer', made)).status, 200)
    const again = await assertNothingAppended(port, () => byAssertion('signer', made))
    assert.equal(again.status, 401)
  })

  const wrong: readonly { what: string; claims?: Record<string, unknown>; by?: () => SigningPair }[] = [
    { what: 'signed by somebody else', by: () => forger },
    { what: 'for somebody else', claims: { aud: 'https://other' } },
    { what: 'that is expired', claims: { exp: now() - 3_600 } },
    { what: 'that is valid for an hour', claims: { exp: now() + 3_600 } },
    { what: 'without exp', claims: { exp: undefined } },
    { what: 'without jti', claims: { jti: undefined } },
    { what: 'that is not valid yet', claims: { nbf: now() + 600 } },
    { what: 'with another issuer', claims: { iss: 'other' } },
  ]
  for (const { what, claims, by = () => ofFile } of wrong) {
    test(`is refused with an assertion ${what}, and nothing is appended`, async () => {
      const made = await assertion('signer', by(), claims)
      const answer = await assertNothingAppended(port, () => byAssertion('signer', made))
      assert.equal(answer.status, 401, answer.body)
    })
  }

  test('that fails too often gets 429, whatever it sends then, and another client does not', async () => {
    const statuses: number[] = []
    while (statuses.at(-1) !== 429 && statuses.length < 10 * failuresPerMinute)
      statuses.push(
        (await revokeAs(port, { id: testClient.id, secret: `wrong-${statuses.length}` }, 'x')).status,
      )
    assert.equal(statuses.at(-1), 429)
    assert.ok(statuses.filter(status => status === 401).length >= failuresPerMinute)
    const token = await tokenOf(testClient.id)
    const limited = await assertNothingAppended(port, () => revokeAs(port, testClient, token))
    assert.equal(limited.status, 429)
    assert.ok(Number(limited.headers.get('retry-after')) >= 1)
    assert.equal((await send({ token: await tokenOf('spa'), client_id: 'spa' })).status, 200)
  })

  test('that asks too often gets 429, and nothing of that is appended', async () => {
    const token = await tokenOf('busy')
    const answers = await Promise.all(Array.from({ length: 200 }, () => send({ token, client_id: 'busy' })))
    const limited = answers.filter(({ status }) => status === 429)
    assert.ok(limited.length > 0 && limited.length < 200, `${limited.length}`)
    assert.equal(
      limited.every(({ headers }) => headers.get('revokedaccesstoken') === null),
      true,
    )
  })
})
