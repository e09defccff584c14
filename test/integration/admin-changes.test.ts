/** What administrators change through the API of a running `rescind all`, and what its enforcer then does. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AdminClient, assertProblem, createAdminClient } from '../support/admin-client.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { assertNothingAppended } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'

const now = () => Math.floor(Date.now() / 1000)
const inAnHour = () => now() + 3600

describe('an administrator', () => {
  let stack: Stack
  let admin: AdminClient
  let enforcer: EnforcerClient
  let iss: string
  before(async () => {
    stack = await startStack()
    admin = createAdminClient(`http://127.0.0.1:${stack.ports.revoker}`)
    enforcer = createEnforcerClient(stack.ports.enforcer)
    iss = stack.issuer.issuer
  })
  after(async () => {
    enforcer.close()
    await stack.stop()
  })

  const revoke = (match: object, times: object = { expiresAt: inAnHour() }) =>
    admin.do('POST', '/revocations', { match, ...times })
  const reasonFor = async (token: string) => (await enforcer.checkToken(token)).reason
  const isRejected = (token: string) =>
    until('it is rejected', async () => (await reasonFor(token)) === 'revoked')
  const isAccepted = (token: string) =>
    until('it is accepted', async () => (await enforcer.checkToken(token)).status === 200)
  /** A control token, never revoked, is accepted at every look. */
  const assertControl = async () =>
    assert.equal((await enforcer.checkToken(await stack.issuer.sign({ jti: 'control' }))).status, 200)

  describe('restores', () => {
    test('a revocation by its id: the token is accepted again, and once more is no mistake', async () => {
      const token = await stack.issuer.sign({ jti: 'back' })
      const { id } = await revoke({ iss, jti: 'back' })
      assert.match(id, /^[0-9a-f]{64}$/)
      await isRejected(token)
      await assertControl()
      const restored = await admin.do('DELETE', `/revocations/${id}?reason=wrong%20user`)
      assert.deepEqual([restored.id, restored.already, restored.stillRejecting], [id, false, []])
      await isAccepted(token)
      const again = await assertNothingAppended(stack.ports.revoker, () =>
        until('it was read', async () => {
          const body = await admin.do('DELETE', `/revocations/${id}`)
          return body.already && body
        }),
      )
      assert.deepEqual([again.id, again.stillRejecting], [id, []])
      assert.ok(again.version >= restored.version)
    })

    test('and is told what else rejects the same tokens: of these claims or of some of them, blocks and cuts', async () => {
      const match = { iss, sub: 'many' }
      const token = await stack.issuer.sign(match)
      const { id } = await revoke(match)
      const other = await revoke(match, { expiresAt: inAnHour() + 60 })
      const cut = await revoke(match, { issuedBefore: 'now' })
      const wider = await revoke({ sub: 'many' })
      await revoke({ iss, sub: 'somebody else' })
      const { stillRejecting, searched } = await admin.do('DELETE', `/revocations/${id}`)
      assert.equal(searched, 'claims')
      assert.deepEqual(
        stillRejecting.map((one: { id: string }) => one.id).sort(),
        [other.id, cut.id, wider.id].sort(),
      )
      for (const rest of [other, cut, wider]) {
        await isRejected(token)
        await admin.do('DELETE', `/revocations/${rest.id}`)
      }
      await isAccepted(token)
    })

    test('nothing that is not there or has expired: 404, and nothing is appended', async () => {
      const { id } = await revoke({ iss, jti: 'known' })
      const gone = await revoke({ iss, jti: 'gone' }, { expiresAt: now() - 3_000 })
      const unknown = `${'0'.repeat(32)}${id.slice(32)}`
      for (const name of [unknown, gone.id, id.slice(0, 32) + '0'.repeat(32)]) {
        const answer = await assertNothingAppended(stack.ports.revoker, () =>
          admin.ask('DELETE', `/revocations/${name}`),
        )
        assertProblem(answer, 404, 'ERR_REVOCATION_UNKNOWN')
      }
      assertProblem(await admin.ask('DELETE', '/revocations/no-id'), 400, 'ERR_REQUEST_INVALID')
    })

    test('64 revocations of the same claims one by one; those beyond are merged, which is said: 409', async () => {
      const match = { iss, sub: 'merged' }
      const revocations = Array.from({ length: 66 }, (_, index) => ({ match, expiresAt: inAnHour() + index }))
      const { revocations: made } = await admin.do('POST', '/revocations:batch', { revocations })
      const last = made.at(-1).id
      const refused = await admin.ask('DELETE', `/revocations/${last}`)
      assertProblem(refused, 409, 'ERR_REVOCATION_MERGED')
      assert.match(refused.body.detail, /more than 64 revocations/)
      for (const { id } of made.slice(0, 64)) await admin.do('DELETE', `/revocations/${id}`)
      const { stillRejecting } = await admin.do('DELETE', `/revocations/${made[0].id}`)
      assert.deepEqual(
        stillRejecting.map((one: { id: null; expiresAt: number }) => [one.id, one.expiresAt]),
        [[null, revocations.at(-1)?.expiresAt]],
      )
      const listed = await admin.do('GET', '/revocations?sub=merged')
      assert.deepEqual(
        listed.revocations.map((one: { id: string; state: string }) => [one.id, one.state]),
        made.slice(64).map((one: { id: string }) => [one.id, 'merged']),
      )
      await isRejected(await stack.issuer.sign(match))
    })
  })

  describe('revokes several at once', () => {
    test('all of them, under consecutive versions', async () => {
      const tokens = await Promise.all(['a', 'b', 'c'].map(jti => stack.issuer.sign({ jti: `batch-${jti}` })))
      const answer = await admin.ask('POST', '/revocations:batch', {
        revocations: [
          { token: tokens[0] },
          { match: { iss, jti: 'batch-b' }, expiresAt: inAnHour(), reason: 'lost' },
          { match: { iss, sub: 'batch' }, issuedBefore: 'now' },
        ],
      })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      assert.deepEqual(
        answer.body.revocations.map((one: { match: object }) => one.match),
        [
          { iss, jti: 'batch-a' },
          { iss, jti: 'batch-b' },
          { iss, sub: 'batch' },
        ],
      )
      await isRejected(tokens[0] as string)
      await isRejected(tokens[1] as string)
      await isRejected(await stack.issuer.sign({ sub: 'batch' }))
      await isAccepted(tokens[2] as string)
    })

    const good = () => ({ match: { iss, sub: 'spared' }, expiresAt: inAnHour() })
    const bad: readonly [what: string, status: number, code: string, detail: RegExp, body: () => object][] = [
      [
        'with one that is wrong',
        400,
        'ERR_REVOCATION_INVALID',
        /^revocations\[1\]: match\.iss: not one of/,
        () => ({ match: { iss: 'https://other.example', sub: 'x' }, expiresAt: inAnHour() }),
      ],
      [
        'with one that the log refuses',
        400,
        'ERR_REVOCATION_INVALID',
        /^revocations\[1\]: issuedBefore: more than 60 s/,
        () => ({ match: { iss, sub: 'x' }, issuedBefore: now() + 900 }),
      ],
      [
        'with one that has expired: a date that is no seconds since 1970 would revoke nothing',
        400,
        'ERR_REVOCATION_INVALID',
        /^revocations\[1\]: issuedBefore: what this revokes has expired/,
        () => ({ match: { iss, sub: 'x' }, issuedBefore: 20260501 }),
      ],
      [
        'with one that ended days ago',
        400,
        'ERR_REVOCATION_INVALID',
        /^revocations\[1\]: expiresAt: what this revokes has expired/,
        () => ({ match: { iss, sub: 'x' }, expiresAt: now() - 90_000 }),
      ],
      [
        'with one of a claim set that is not declared',
        400,
        'ERR_CLAIM_SET_UNKNOWN',
        /^revocations\[1\]: match: no enforcer/,
        () => ({ match: { iss, colour: 'x' }, expiresAt: inAnHour() }),
      ],
      [
        'with a token that nobody issued',
        400,
        'ERR_REVOCATION_INVALID',
        /^revocations\[1\]: token: not a token/,
        () => ({ token: 'a.b.c' }),
      ],
    ]
    for (const [what, status, code, detail, body] of bad) {
      test(`or none: ${what}`, async () => {
        const revocations = [good(), body(), good()]
        const answer = await assertNothingAppended(stack.ports.revoker, () =>
          admin.ask('POST', '/revocations:batch', { revocations }),
        )
        assertProblem(answer, status, code)
        assert.match(answer.body.detail, detail)
        assert.equal((await enforcer.checkToken(await stack.issuer.sign({ sub: 'spared' }))).status, 200)
      })
    }

    test('or none: more than 2,000, or more bytes than the log takes at once', async () => {
      const many = Array.from({ length: 2_001 }, () => ({ match: { jti: 'm' }, expiresAt: inAnHour() }))
      const claim = (index: number) => `${index}`.padEnd(900, 'x')
      const large = Array.from({ length: 900 }, (_, index) => ({
        match: { jti: claim(index) },
        expiresAt: 4e9,
      }))
      const [tooMany, tooLarge] = await assertNothingAppended(stack.ports.revoker, async () => [
        await admin.ask('POST', '/revocations:batch', { revocations: many }),
        await admin.ask('POST', '/revocations:batch', { revocations: large }),
      ])
      assertProblem(tooMany as never, 400, 'ERR_REQUEST_INVALID')
      assertProblem(tooLarge as never, 413, 'ERR_EVENT_TOO_LARGE')
    })
  })

  describe('declares a claim set', () => {
    test('after which revocations of it are taken and enforced; once more is no mistake', async () => {
      const match = { iss, tenant: 'acme' }
      const token = await stack.issuer.sign({ tenant: 'acme' })
      assertProblem(
        await admin.ask('POST', '/revocations', { match, expiresAt: inAnHour() }),
        400,
        'ERR_CLAIM_SET_UNKNOWN',
      )
      const declared = await admin.ask('POST', '/claim-sets', { names: ['tenant', 'iss'] })
      assert.equal(declared.status, 201)
      assert.deepEqual(
        [declared.body.names, declared.body.cut, declared.body.already],
        [['iss', 'tenant'], false, false],
      )
      await admin.do('POST', '/revocations', { match, expiresAt: inAnHour() })
      await isRejected(token)
      await isAccepted(await stack.issuer.sign({ tenant: 'other' }))
      const again = await assertNothingAppended(stack.ports.revoker, () =>
        admin.ask('POST', '/claim-sets', { names: ['iss', 'tenant'] }),
      )
      assert.deepEqual([again.status, again.body.already], [200, true])
      const builtIn = await admin.ask('POST', '/claim-sets', { names: ['sub', 'iss'], cut: true })
      assert.deepEqual([builtIn.status, builtIn.body.already], [200, true])
      const { claimSets } = await admin.do('GET', '/claim-sets')
      const tenant = claimSets.filter((set: { names: string[] }) => set.names.includes('tenant'))
      assert.deepEqual(tenant, [
        { names: ['iss', 'tenant'], cut: false, builtIn: false, version: declared.body.version },
      ])
      assert.ok(
        claimSets.some((set: { names: string[]; builtIn: boolean }) => set.builtIn && set.names[0] === 'jti'),
      )
    })

    test('not with a name that is not allowed, and not more than 16: 409, and nothing is appended', async () => {
      assertProblem(
        await admin.ask('POST', '/claim-sets', { names: ['$user'] }),
        400,
        'ERR_REVOCATION_INVALID',
      )
      const { declared, limit } = await admin.do('GET', '/claim-sets')
      for (let number = declared; number < limit; number++) {
        await admin.do('POST', '/claim-sets', { names: [`claim-${number}`] })
      }
      const refused = await assertNothingAppended(stack.ports.revoker, () =>
        admin.ask('POST', '/claim-sets', { names: ['one-more'] }),
      )
      assertProblem(refused, 409, 'ERR_CLAIM_SETS_LIMIT')
    })
  })

  test('is told of every change, where that is preferred, whether enforcers have it; of a repeat anew', async () => {
    const prefer = { prefer: 'wait=10', 'idempotency-key': 'confirmed' }
    const body = { match: { iss, sub: 'confirmed' }, expiresAt: inAnHour() }
    const first = await admin.ask('POST', '/revocations', body, prefer)
    const changes = [
      first,
      await admin.ask('POST', '/revocations', body, prefer),
      await admin.ask('POST', '/revocations:batch', { revocations: [body] }, { prefer: 'wait=10' }),
      await admin.ask('DELETE', `/revocations/${first.body.id}`, undefined, { prefer: 'wait=10' }),
      await admin.ask('POST', '/claim-sets', { names: ['iss', 'sub'] }, { prefer: 'wait=10' }),
    ]
    for (const { status, headers, body: answer } of changes) {
      assert.ok(status < 300, JSON.stringify(answer))
      assert.match(headers.get('revocation-status') ?? '', /^enforced; version=\d+; enforcers=1\/1/)
      assert.deepEqual([answer.confirmation.enforced, answer.confirmation.version], [true, answer.version])
    }
    const { headers } = await admin.ask('POST', '/revocations', { ...body, expiresAt: inAnHour() + 9 })
    assert.equal(headers.get('revocation-status'), null)
  })
})
