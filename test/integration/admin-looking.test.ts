/** What administrators look at through the API of a running `rescind all`: lists, explanations, events, its description. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventData } from '../../cli/event-stream.ts'
import { type AdminClient, assertProblem, createAdminClient } from '../support/admin-client.ts'
import { until } from '../support/condition.ts'
import { adminToken, type Stack, startStack } from '../support/stack.ts'

const now = () => Math.floor(Date.now() / 1000)
const inAnHour = () => now() + 3600

interface Listed {
  readonly id: string
  readonly state: string
  readonly match: Readonly<Record<string, unknown>>
  readonly reason?: string
}

describe('an administrator', () => {
  let stack: Stack
  let admin: AdminClient
  let iss: string
  before(async () => {
    stack = await startStack()
    admin = createAdminClient(`http://127.0.0.1:${stack.ports.revoker}`)
    iss = stack.issuer.issuer
  })
  after(() => stack.stop())

  const revoke = (match: object, more: object = { expiresAt: inAnHour() }) =>
    admin.do('POST', '/revocations', { match, ...more })

  describe('lists revocations', () => {
    let ids: Record<'alice' | 'bob' | 'cut' | 'back' | 'expired', string>
    before(async () => {
      const idOf = async (match: object, more?: object): Promise<string> => (await revoke(match, more)).id
      ids = {
        alice: await idOf({ iss, sub: 'alice' }, { expiresAt: inAnHour(), reason: 'left' }),
        bob: await idOf({ iss, sub: 'bob', $client: 'web' }),
        cut: await idOf({ iss, sub: 'alice' }, { issuedBefore: 'now' }),
        back: await idOf({ iss, jti: 'back' }),
        expired: await idOf({ iss, jti: 'expired' }, { expiresAt: now() - 600 }),
      }
      await admin.do('DELETE', `/revocations/${ids.back}`)
    })

    const list = async (query: string): Promise<readonly Listed[]> => {
      const { revocations, complete } = await admin.do('GET', `/revocations?${query}`)
      assert.equal(complete, true)
      return revocations
    }
    const idsOf = (revocations: readonly Listed[]) => revocations.map(({ id }) => id)

    test('those in force, in the order of the log, with who, why and until when', async () => {
      const listed = await list('')
      assert.deepEqual(idsOf(listed), [ids.alice, ids.bob, ids.cut])
      const { revokedAt, expiresAt, version, ...first } = listed[0] as Listed & Record<string, number>
      assert.deepEqual(first, {
        id: ids.alice,
        key: ids.alice.slice(32),
        state: 'live',
        match: { iss, sub: 'alice' },
        reason: 'left',
        actor: 'admin:tester',
      })
      assert.ok(Math.abs((revokedAt ?? 0) - now()) < 60 && (expiresAt ?? 0) > now() && (version ?? 0) > 0)
    })

    test('restored and expired ones too, where asked for', async () => {
      const listed = await list('state=all')
      assert.deepEqual(
        listed.map(({ id, state }) => [id, state]),
        [
          [ids.alice, 'live'],
          [ids.bob, 'live'],
          [ids.cut, 'live'],
          [ids.back, 'restored'],
          [ids.expired, 'expired'],
        ],
      )
    })

    const filters: readonly [query: () => string, names: readonly (keyof typeof ids)[]][] = [
      [() => 'sub=alice', ['alice', 'cut']],
      [() => 'sub=alic', []],
      [() => 'client=web', ['bob']],
      [() => 'jti=back', []],
      [() => 'jti=back&state=all', ['back']],
      [() => `claim=sub%3Dbob&claim=iss%3D${encodeURIComponent(iss)}`, ['bob']],
      [() => 'claim=sub%3Dbob&claim=iss%3Dother', []],
      [() => 'actor=admin%3Atester', ['alice', 'bob', 'cut']],
      [() => 'actor=admin%3Atest', []],
      [() => `since=${now() + 60}`, []],
      [() => `since=${now() - 600}&until=${now() + 60}`, ['alice', 'bob', 'cut']],
      [() => `until=${now() - 600}`, []],
    ]
    for (const [query, names] of filters) {
      test(`by a filter: ${query()
        .replace(/\d{9,}/g, 'TIME')
        .slice(0, 60)}`, async () => {
        assert.deepEqual(
          idsOf(await list(query())),
          names.map(name => ids[name]),
        )
      })
    }

    test('page by page: the cursor leads on, and each comes once', async () => {
      const pages: Listed[][] = []
      let [cursor, complete] = ['', false]
      while (!complete) {
        const page = await admin.do('GET', `/revocations?limit=2&state=all${cursor}`)
        pages.push(page.revocations)
        complete = page.complete
        cursor = `&cursor=${page.cursor}`
      }
      assert.deepEqual(
        pages.flat().map(({ id }) => id),
        Object.values(ids),
      )
      assert.ok(pages.every(page => page.length <= 2) && pages.length >= 3)
    })

    test('not from a cursor that no list has given, or of another log: 400', async () => {
      const forged = Buffer.from('3.1234').toString('base64url')
      for (const cursor of ['x', 'bm9uZQ', forged]) {
        assertProblem(await admin.ask('GET', `/revocations?cursor=${cursor}`), 400, 'ERR_CURSOR_INVALID')
      }
      for (const query of [
        'limit=0',
        'limit=many',
        'claim=sub',
        'since=yesterday',
        'colour=red',
        'state=none',
      ]) {
        assertProblem(await admin.ask('GET', `/revocations?${query}`), 400, 'ERR_REQUEST_INVALID')
      }
    })
  })

  describe('is told of a token', () => {
    const explain = (token: string) => admin.do('POST', '/explain', { token })

    test('that nothing rejects: by which claims it was looked up', async () => {
      await revoke({ iss, sub: 'somebody' })
      const token = await stack.issuer.sign({ sub: 'nobody', jti: undefined })
      const answer = await explain(token)
      const { decision, reason, verified, claimsVerified, revocations, claims } = answer
      assert.deepEqual(
        { decision, reason, verified, claimsVerified, revocations },
        { decision: 'allow', reason: null, verified: true, claimsVerified: true, revocations: [] },
      )
      assert.deepEqual([claims.sub, claims.iss, claims.jti], ['nobody', iss, undefined])
      const probed = answer.claimSets.filter((set: { probed: boolean }) => set.probed)
      const bySub = probed.find(
        (set: { names: string[]; cut: boolean }) => set.names.join() === 'iss,sub' && !set.cut,
      )
      assert.ok(bySub !== undefined)
      assert.ok(probed.every((set: { names: string[] }) => !set.names.includes('jti')))
    })

    test('which revocations reject it, since which version, why and until when', async () => {
      const token = await stack.issuer.sign({ sub: 'carol', jti: 'carol-1' })
      await revoke({ iss, sub: 'carol' }, { issuedBefore: now() - 900, reason: 'too early for it' })
      const one = await revoke({ iss, sub: 'carol' }, { issuedBefore: 'now', reason: 'stolen' })
      const two = await revoke({ iss, jti: 'carol-1' })
      const answer = await until('all were read', async () => {
        const explained = await explain(token)
        return explained.version >= two.version && explained
      })
      assert.deepEqual([answer.decision, answer.reason, answer.verified], ['deny', 'revoked', true])
      const byVersion = [...answer.revocations].sort((a, b) => a.version - b.version)
      const { revokedAt, ...cut } = byVersion[0]
      assert.ok(Math.abs(revokedAt - now()) < 60)
      assert.deepEqual(cut, {
        id: one.id,
        names: ['iss', 'sub'],
        cut: true,
        issuedBefore: one.issuedBefore,
        expiresAt: one.expiresAt,
        version: one.version,
        match: { iss, sub: 'carol' },
        reason: 'stolen',
        actor: 'admin:tester',
      })
      assert.deepEqual([byVersion.length, byVersion[1].id, byVersion[1].version], [2, two.id, two.version])
    })

    test('on which enforcers it is rejected', async () => {
      const token = await stack.issuer.sign({ sub: 'grace' })
      await revoke({ iss, sub: 'grace' })
      const { enforcers, version } = await until('the enforcer has it', async () => {
        const answer = await explain(token)
        return answer.decision === 'deny' && answer.enforcers[0]?.has && answer
      })
      assert.deepEqual([enforcers.length, enforcers[0].connected], [1, true])
      assert.ok(enforcers[0].version >= version)
    })

    test('that it is not verified and why, and that anybody may have written its claims', async () => {
      await revoke({ iss, jti: 'dave' })
      const forged = await stack.issuer.sign({ jti: 'dave' }, { alg: 'none' })
      const expired = await stack.issuer.sign({ jti: 'dave', iat: now() - 9_000, exp: now() - 8_000 })
      const foreign = await stack.issuer.sign({ iss: 'https://other.example', aud: 'x' })
      const cases = [
        { token: forged, problem: 'algorithm_not_allowed', claimsVerified: false, found: 1 },
        { token: expired, problem: 'expired', claimsVerified: true, found: 1 },
        { token: foreign, problem: 'unknown_issuer', claimsVerified: false, found: 0 },
        {
          token: await stack.issuer.sign({ aud: 'other' }),
          problem: 'wrong_audience',
          claimsVerified: true,
          found: 0,
        },
        { token: 'an-opaque-token', problem: 'malformed', claimsVerified: false, found: 0 },
      ]
      for (const { token, found, problem, claimsVerified } of cases) {
        const answer = await explain(token)
        assert.deepEqual(
          [answer.decision, answer.reason, answer.verified, answer.problem, answer.claimsVerified],
          ['deny', problem, false, problem, claimsVerified],
        )
        assert.equal(answer.revocations.length, found, problem)
      }
      assert.ok(!stack.rescind.output().includes(forged.slice(0, 60)))
    })
  })

  test('follows events as they are appended, each in the words of the API', async () => {
    const response = await fetch(`${admin.url}/events`, {
      headers: { authorization: `Bearer ${adminToken}` },
    })
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream'])
    const events = eventData(response.body as unknown as AsyncIterable<Uint8Array>)
    const next = async () => JSON.parse((await events.next()).value as string)
    const { id, version } = await revoke(
      { iss, sub: 'erin' },
      { expiresAt: 4_000_000_000, reason: 'left\n\nus' },
    )
    const revoked = await next()
    assert.ok(Math.abs(revoked.revokedAt - now()) < 60)
    assert.deepEqual(revoked, {
      version,
      kind: 'revocation',
      id,
      match: { iss, sub: 'erin' },
      expiresAt: 4_000_000_000,
      revokedAt: revoked.revokedAt,
      reason: 'left\n\nus',
      actor: 'admin:tester',
    })
    await admin.do('DELETE', `/revocations/${id}?reason=back`)
    const restored = await next()
    assert.deepEqual(
      [restored.kind, restored.id, restored.actor, restored.reason],
      ['restoration', id, 'admin:tester', 'back'],
    )
    await admin.do('POST', '/claim-sets', { names: ['plan', 'iss'], cut: true })
    const declared = await next()
    assert.deepEqual([declared.kind, declared.names, declared.cut], ['claim-set', ['iss', 'plan'], true])
    await response.body?.cancel().catch(() => undefined)
  })

  test('is told apart in the log by who, what, why and from where, and no token is in it', async () => {
    const token = await stack.issuer.sign({ jti: 'audited' })
    const { id, version } = await admin.do('POST', '/revocations', { token, reason: 'stolen' })
    await admin.do('DELETE', `/revocations/${id}?reason=found`)
    const lines = await until('it is logged', () => {
      const found = stack.rescind.logs().filter(({ msg }) => msg === 'an administrator made a change')
      const ofThis = found.filter(line => line.id === id)
      return ofThis.length === 2 && ofThis
    })
    const [revoked, restored] = lines.map(({ administrator, from, change, claims, reason, version: at }) => ({
      administrator,
      from,
      change,
      claims,
      reason,
      at,
    }))
    const who = { administrator: 'tester', from: '127.0.0.1' }
    assert.deepEqual(revoked, {
      ...who,
      change: 'revoke',
      claims: ['iss', 'jti'],
      reason: 'stolen',
      at: version,
    })
    assert.deepEqual(
      { ...restored, at: 0 },
      { ...who, change: 'restore', claims: ['iss', 'jti'], reason: 'found', at: 0 },
    )
    assert.ok(!stack.rescind.output().includes(token.slice(-40)))
  })
})
