/** What the admin API says of a log that was trimmed, is large, or that it has not read to its end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventLog } from '../../event-log/event-log.ts'
import { revocationName } from '../../revocation/revocation-name.ts'
import { aborted } from '../../runtime/abort-signal.ts'
import { hashSecret } from '../../token/secret.ts'
import { assertProblem, createAdminClient } from '../support/admin-client.ts'
import { type AdminServerOptions, startAdminServer } from '../support/admin-server.ts'
import { until } from '../support/condition.ts'
import { createMemoryLogStore, type MemoryLogStore } from '../support/memory-log.ts'
import { block, bytesOf, restore } from '../support/revocations.ts'
import { adminToken } from '../support/stack.ts'

const expiresAt = Math.floor(Date.now() / 1000) + 3600

/** A log that a list reads entry by entry; `meanwhile` happens once, before the list has the entry at a position. */
const interrupted = (position: number, meanwhile: (store: MemoryLogStore) => Promise<void>) => {
  let isDone = false
  return (store: MemoryLogStore): EventLog => {
    const log = store.open()
    let readers = 0
    return {
      ...log,
      read: async function* (after, signal) {
        const isFollower = readers++ === 0
        for await (const page of log.read(after, signal)) {
          for (const entry of page) {
            if (!isFollower && !isDone && entry.position >= position) {
              isDone = true
              await meanwhile(store)
            }
            yield [entry]
          }
        }
      },
    }
  }
}

const start = async (options: AdminServerOptions = {}) => {
  const tokens = [{ name: 'tester', hash: await hashSecret(adminToken) }]
  const server = await startAdminServer({ ...options, credentials: { tokens } })
  const append = (...events: Parameters<typeof bytesOf>[0][]) =>
    server.store.open().appendAll(events.map(event => bytesOf(event)))
  return { ...server, admin: createAdminClient(server.url), append }
}

describe('a list', () => {
  test('shows a revocation once that trimming has copied, also while the original is still there', async t => {
    const { admin, append, store, close } = await start()
    t.after(close)
    const [one, two] = [block({ jti: 'one' }, expiresAt), block({ jti: 'two' }, expiresAt)]
    await append(one, two)
    const [copiedTo] = await append(one)
    const idsNow = async (query = '') =>
      (await admin.do('GET', `/revocations?${query}`)).revocations.map(
        (listed: { id: string; version: number }) => [listed.id, listed.version === copiedTo],
      )
    const expected = [
      [revocationName(two), false],
      [revocationName(one), true],
    ]
    assert.deepEqual(await idsNow(), expected)
    const { cursor } = await admin.do('GET', '/revocations?limit=1')
    store.trim(3)
    assert.deepEqual(await idsNow(), expected)
    assert.deepEqual(await idsNow(`cursor=${cursor}`), [[revocationName(one), true]])
    const forgotten = Buffer.from('1.abc').toString('base64url')
    assertProblem(await admin.ask('GET', `/revocations?cursor=${forgotten}`), 400, 'ERR_CURSOR_INVALID')
  })

  test('shows what trimming copies while the log is listed', async t => {
    const [one, two] = [block({ jti: 'one' }, expiresAt), block({ jti: 'two' }, expiresAt)]
    const openLog = interrupted(2, async store => {
      await store.open().append(bytesOf(one))
      await until('the revoker knows the copy', () => follower.state.position === 4)
    })
    const { admin, append, close, follower } = await start({ openLog })
    t.after(close)
    await append(one, two)
    const { revocations, complete } = await admin.do('GET', '/revocations')
    assert.deepEqual(
      revocations.map(({ id, version }: { id: string; version: number }) => [id, version]),
      [
        [revocationName(two), 3],
        [revocationName(one), 4],
      ],
    )
    assert.equal(complete, true)
  })

  test('says that it must be asked again when trimming overtook it', async t => {
    const store = createMemoryLogStore({ pageEntries: 1 })
    await store.open().append(bytesOf({ kind: 'token-lifetime', seconds: 3_600, declaredAt: 0 }))
    const openLog = interrupted(3, async () => store.trim(5))
    const { admin, append, close } = await start({ store, openLog })
    t.after(close)
    const all = ['one', 'two', 'three', 'four'].map(jti => block({ jti }, expiresAt))
    await append(...all)
    assertProblem(await admin.ask('GET', '/revocations'), 503, 'ERR_LOG_BEHIND')
    assert.equal((await admin.do('GET', '/revocations')).revocations.length, 1)
  })

  test('tells once of what was copied after it was shown', async t => {
    const [one, two] = [block({ jti: 'one' }, expiresAt), block({ jti: 'two' }, expiresAt)]
    const openLog = interrupted(3, async store => {
      await store.open().append(bytesOf(one))
      await until('the revoker knows the copy', () => follower.state.position === 4)
    })
    const { admin, append, close, follower } = await start({ openLog })
    t.after(close)
    await append(one, two)
    const { revocations } = await admin.do('GET', '/revocations')
    assert.deepEqual(
      revocations.map(({ id, version }: { id: string; version: number }) => [id, version]),
      [
        [revocationName(two), 3],
        [revocationName(one), 4],
      ],
    )
  })

  test('is not complete when the log turns out to be another one meanwhile', async t => {
    const openLog = interrupted(3, async store => {
      store.wipe()
      await store.open().append(bytesOf(block({ jti: 'of another log' }, expiresAt)))
      await until('the revoker has noticed', () => follower.restarts === 1)
    })
    const { admin, append, close, follower } = await start({ openLog })
    t.after(close)
    await append(...['one', 'two', 'three'].map(jti => block({ jti }, expiresAt)))
    assertProblem(await admin.ask('GET', '/revocations'), 503, 'ERR_LOG_BEHIND')
  })

  test('passes over what is no revocation, cannot be read, or is of no claim set', async t => {
    const { admin, append, store, close } = await start()
    t.after(close)
    const one = block({ jti: 'one' }, expiresAt)
    await store.open().append(Buffer.from('not an event'))
    await append(block({ colour: 'red' }, expiresAt), one)
    const { revocations } = await admin.do('GET', '/revocations?state=all')
    assert.deepEqual(
      revocations.map(({ id }: { id: string }) => id),
      [revocationName(one)],
    )
  })

  test('ends a page when it is large, and goes on after it', async t => {
    const { admin, append, close } = await start()
    t.after(close)
    const all = Array.from({ length: 600 }, (_, index) => ({
      ...block({ jti: `${index}` }, expiresAt),
      reason: 'x'.repeat(3_000),
    }))
    await append(...all.slice(0, 250))
    await append(...all.slice(250, 500))
    await append(...all.slice(500))
    const first = await admin.do('GET', '/revocations?limit=1000')
    assert.equal(first.complete, false)
    assert.ok(first.revocations.length > 100 && first.revocations.length < 600)
    const second = await admin.do('GET', `/revocations?limit=1000&cursor=${first.cursor}`)
    assert.equal(second.complete, true)
    assert.deepEqual(
      [...first.revocations, ...second.revocations].map(({ id }: { id: string }) => id),
      all.map(revocationName),
    )
  })
})

test('a revoker that cannot read the log to its end says that it does not know, instead of 404', async t => {
  let isStuck = false
  const openLog = (store: MemoryLogStore): EventLog => {
    const log = store.open()
    return {
      ...log,
      read: async function* (after, signal) {
        for await (const page of log.read(after, signal)) {
          if (isStuck) await aborted(signal)
          else yield page
        }
      },
    }
  }
  const { admin, append, close } = await start({ openLog })
  t.after(close)
  const known = block({ jti: 'known' }, expiresAt)
  const unread = block({ jti: 'unread' }, expiresAt)
  await append(known)
  assert.equal((await admin.do('GET', '/revocations')).revocations.length, 1)
  isStuck = true
  await append(unread)
  assertProblem(await admin.ask('DELETE', `/revocations/${revocationName(unread)}`), 503, 'ERR_LOG_BEHIND')
  // What it knows it restores at once.
  await admin.do('DELETE', `/revocations/${revocationName(known)}`)
})

test('a revocation that was restored and then read again stays restored in lists', async t => {
  const { admin, append, close } = await start()
  t.after(close)
  const one = block({ jti: 'one' }, expiresAt)
  await append(one, restore(one), one)
  assert.deepEqual((await admin.do('GET', '/revocations')).revocations, [])
  const { revocations } = await admin.do('GET', '/revocations?state=all')
  assert.ok(
    revocations.length > 0 && revocations.every(({ state }: { state: string }) => state === 'restored'),
  )
})
