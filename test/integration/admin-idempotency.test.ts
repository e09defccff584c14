/** The header Idempotency-Key: a request that is repeated has its effect once, also at another revoker. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EventLog } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { hashSecret } from '../../token/secret.ts'
import { type AdminClient, assertProblem, createAdminClient } from '../support/admin-client.ts'
import { type AdminServer, startAdminServer } from '../support/admin-server.ts'
import { until } from '../support/condition.ts'
import type { MemoryLogStore } from '../support/memory-log.ts'
import { adminToken } from '../support/stack.ts'

const expiresAt = Math.floor(Date.now() / 1000) + 3600
const otherToken = 'token-of-another'

describe('a request with an Idempotency-Key', () => {
  let server: AdminServer
  /** Another revoker on the same log. */
  let second: AdminServer
  let admin: AdminClient
  let elsewhere: AdminClient
  /** Holds appends back while it is set. */
  let gate: Promise<void> | undefined
  let waiting = 0
  /** Thrown after an append, as if it were not known whether it was stored. */
  let failing: RescindError | undefined
  const openLog = (store: MemoryLogStore): EventLog => {
    const log = store.open()
    return {
      ...log,
      appendAll: async events => {
        waiting += 1
        await gate
        waiting -= 1
        const positions = await log.appendAll(events)
        if (failing !== undefined) throw failing
        return positions
      },
    }
  }
  before(async () => {
    const tokens = [
      { name: 'tester', hash: await hashSecret(adminToken) },
      { name: 'other', hash: await hashSecret(otherToken) },
    ]
    server = await startAdminServer({ credentials: { tokens }, openLog })
    second = await startAdminServer({ credentials: { tokens }, store: server.store })
    admin = createAdminClient(server.url)
    elsewhere = createAdminClient(second.url)
  })
  after(async () => {
    await second.close()
    await server.close()
  })

  const revoke = (client: AdminClient, jti: string, key: string) =>
    client.ask('POST', '/revocations', { match: { jti }, expiresAt }, { 'idempotency-key': key })
  const entries = () => server.store.entries.length
  const caughtUp = () => {
    const end = server.store.entries.at(-1)?.position ?? 0
    return Promise.all([server.follower.reached(end), second.follower.reached(end)])
  }

  test('is answered again as it was the first time, and appends nothing', async () => {
    const first = await revoke(admin, 'one', '"key-1"')
    const before = entries()
    const again = await revoke(admin, 'one', 'key-1')
    assert.deepEqual([first.status, again.status], [201, 201])
    assert.deepEqual(again.body, first.body)
    assert.equal(entries(), before)
  })

  test('is refused with 422 if its key was used for another request, and appends nothing', async () => {
    await revoke(admin, 'two', 'key-2')
    const before = entries()
    assertProblem(await revoke(admin, 'three', 'key-2'), 422, 'ERR_IDEMPOTENCY_KEY_REUSED')
    const batch = { revocations: [{ match: { jti: 'two' }, expiresAt }] }
    const elsewhereSent = await admin.ask('POST', '/revocations:batch', batch, { 'idempotency-key': 'key-2' })
    assertProblem(elsewhereSent, 422, 'ERR_IDEMPOTENCY_KEY_REUSED')
    assert.equal(entries(), before)
  })

  test('has a key of its administrator: of another one it is another key', async () => {
    const other = createAdminClient(server.url, `Bearer ${otherToken}`)
    const [mine, theirs] = [await revoke(admin, 'mine', 'key-3'), await revoke(other, 'theirs', 'key-3')]
    assert.deepEqual([mine.status, theirs.status], [201, 201])
    assert.notEqual(mine.body.id, theirs.body.id)
  })

  test('is refused with 409 while an equal one is under way', async () => {
    let open: () => void = () => undefined
    gate = new Promise(done => {
      open = done
    })
    const first = revoke(admin, 'slow', 'key-4')
    await until('it waits for the log', () => waiting > 0)
    const repeated = await revoke(admin, 'slow', 'key-4')
    open()
    gate = undefined
    assertProblem(repeated, 409, 'ERR_IDEMPOTENCY_KEY_IN_USE')
    assert.equal((await first).status, 201)
  })

  test('that failed without an effect may be corrected; one that may have had an effect keeps its key', async () => {
    const wrong = await admin.ask(
      'POST',
      '/revocations',
      { match: {}, expiresAt },
      { 'idempotency-key': 'key-5' },
    )
    assert.equal(wrong.status, 400)
    assert.equal((await revoke(admin, 'corrected', 'key-5')).status, 201)

    failing = new RescindError('ERR_LOG_TIMEOUT', 'it may have been stored')
    assert.equal((await revoke(admin, 'unknown', 'key-6')).status, 503)
    failing = undefined
    assertProblem(await revoke(admin, 'something else', 'key-6'), 422, 'ERR_IDEMPOTENCY_KEY_REUSED')
    await caughtUp()
    const again = await revoke(admin, 'unknown', 'key-6')
    assert.ok(again.status === 200 || again.status === 201)
    await caughtUp()
    const { revocations } = await admin.do('GET', '/revocations?jti=unknown')
    assert.equal(revocations.length, 1, 'it is one revocation')
  })

  test('names the same revocation at another revoker, which does not revive what was restored', async () => {
    const first = await revoke(admin, 'moved', 'key-7')
    await caughtUp()
    const batch = await admin.ask(
      'POST',
      '/revocations:batch',
      { revocations: ['m1', 'm2'].map(jti => ({ match: { jti }, expiresAt })) },
      { 'idempotency-key': 'key-8' },
    )
    const ids = batch.body.revocations.map(({ id }: { id: string }) => id)
    assert.equal(new Set(ids).size, 2)
    await elsewhere.do('DELETE', `/revocations/${first.body.id}`)
    await elsewhere.do('DELETE', `/revocations/${ids[1]}`)
    await caughtUp()
    const before = entries()
    assertProblem(await revoke(elsewhere, 'moved', 'key-7'), 409, 'ERR_REVOCATION_RESTORED')
    assert.equal(entries(), before)
    const one = await revoke(admin, 'one', 'key-1')
    const again = await revoke(elsewhere, 'one', 'key-1')
    assert.deepEqual([again.status, again.body.id], [200, one.body.id])
    const { revocations } = await elsewhere.do('GET', '/revocations?jti=m1')
    assert.deepEqual(
      revocations.map(({ id }: { id: string }) => id),
      [ids[0]],
    )
  })

  test('also when it restores', async () => {
    const { body } = await revoke(admin, 'restored', 'key-9')
    const restore = () =>
      admin.ask('DELETE', `/revocations/${body.id}`, undefined, { 'idempotency-key': 'key-10' })
    const first = await restore()
    const before = entries()
    const again = await restore()
    assert.deepEqual([again.status, again.body], [200, first.body])
    assert.equal(first.body.already, false)
    assert.equal(entries(), before)
  })

  test('is refused if the key is no text of at most 128 printable characters', async () => {
    for (const key of ['x'.repeat(129), '"open', 'in"side', '""', 'a, b c\\']) {
      assertProblem(await revoke(admin, 'bad key', key), 400, 'ERR_REQUEST_INVALID')
    }
  })
})
