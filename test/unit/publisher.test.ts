/** What a revoker appends: what it was asked for, once, and nothing that no enforcer could act on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RescindError } from '../../revocation/error.ts'
import { LiveState } from '../../revocation/live-state.ts'
import { keepLifetimeDeclared } from '../../revoker/lifetime-declaration.ts'
import type { NewRevocation } from '../../revoker/publisher.ts'
import { systemClock } from '../../runtime/clock.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import {
  createErrorLogger,
  type PublishedLog,
  publishedLogsOfTests,
  startPublishedLog,
} from '../support/published-log.ts'
import { modelRejects } from '../support/revocation-model.ts'
import {
  anyRevocation,
  anyToken,
  bytesOf,
  declarations,
  declare,
  plainCodec,
  restore,
} from '../support/revocations.ts'

const alice: NewRevocation = { match: { iss: 'https://a', sub: 'alice' }, expiresAt: 2_000, actor: 'test' }

const start = publishedLogsOfTests()

const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code

const eventsOf = ({ store }: PublishedLog) => store.entries.map(({ event }) => plainCodec.decode(event))

describe('a revocation', () => {
  test('is appended as it was asked for, with an id of its own and the time', async () => {
    const log = await start()
    const published = await log.publisher.publish({ ...alice, reason: 'lost', tokenType: 'JWT' })
    assert.deepEqual(eventsOf(log), [
      { kind: 'revocation', ...alice, id: published.id, revokedAt: 1_000, reason: 'lost', tokenType: 'JWT' },
    ])
    assert.equal(published.position, 1)
    assert.equal(published.expiresAt, 2_000)
    assert.match(published.id ?? '', /^[0-9a-f]{32}$/)
  })

  test('that was restored a moment ago is appended, also by a revoker that has not read so yet', async () => {
    const log = await start()
    const { id = '' } = await log.publisher.publish(alice)
    await log.caughtUp()
    const restored = log.store
      .open()
      .append(bytesOf(restore({ ...alice, kind: 'revocation', id, revokedAt: 1_000 })))
    const again = await log.publisher.publish(alice)
    assert.equal(await restored, 2)
    assert.equal(again.position, 3)
    assert.notEqual(again.id, undefined)
  })

  test('that changes nothing appends nothing, and names the version at which it is in force', async () => {
    const log = await start()
    await log.publisher.publish(alice)
    await log.caughtUp()
    for (const repeat of [alice, { ...alice, expiresAt: 1_500 }, { ...alice, expiresAt: 1_999.5 }]) {
      assert.deepEqual(await log.publisher.publish(repeat), {
        position: 1,
        id: undefined,
        expiresAt: Math.ceil(repeat.expiresAt as number),
      })
    }
    assert.equal(log.store.entries.length, 1)
  })

  test('that lasts longer, reaches further or is of the other kind is appended', async () => {
    const log = await start()
    const cutAt = (issuedBefore: number) => ({ match: alice.match, issuedBefore, actor: 'test' })
    for (const next of [alice, { ...alice, expiresAt: 2_001 }, cutAt(900), cutAt(901)]) {
      assert.notEqual((await log.publisher.publish(next)).id, undefined)
      await log.caughtUp()
    }
    assert.equal((await log.publisher.publish(cutAt(899))).id, undefined)
    assert.equal(log.store.entries.length, 4)
  })

  test('that repeats one which the revoker has not read back yet does no harm', async () => {
    const log = await start()
    const both = await Promise.all([log.publisher.publish(alice), log.publisher.publish(alice)])
    assert.equal(new Set(both.map(({ id }) => id)).size, 2)
    await log.caughtUp()
    assert.equal(log.follower.state.size, 1)
  })

  test('of a cut answers when it expires: after the longest lifetime that the log declares', async () => {
    const log = await start()
    await log.store.open().append(bytesOf({ kind: 'token-lifetime', seconds: 500, declaredAt: 0 }))
    await log.caughtUp()
    const { expiresAt } = await log.publisher.publish({
      match: alice.match,
      issuedBefore: 1_000,
      actor: 'test',
    })
    assert.equal(expiresAt, 1_500)
  })
})

describe('refused, and not appended, is', () => {
  const invalid: Record<string, object> = {
    'an empty match': { match: {} },
    'a value that is no claim value': { match: { sub: 0.5 } },
    'an unknown name with $': { match: { $user: 'a' } },
    'both a block and a cut': { issuedBefore: 900 },
    'neither of them': { expiresAt: undefined },
    'an expiry that is no time': { expiresAt: Number.NaN },
    'an expiry before 1970': { expiresAt: -1 },
    'a cut more than a minute ahead': { expiresAt: undefined, issuedBefore: 1_060.5 },
  }
  for (const [name, change] of Object.entries(invalid)) {
    test(name, async () => {
      const log = await start()
      await assert.rejects(
        log.publisher.publish({ ...alice, ...change } as NewRevocation),
        hasCode('ERR_REVOCATION_INVALID'),
      )
      assert.equal(log.store.entries.length, 0)
    })
  }

  test('a claim set that nobody declared, until it is declared in the same kind', async () => {
    const log = await start()
    const byRole = { ...alice, match: { iss: 'https://a', role: 'admin' } }
    await assert.rejects(log.publisher.publish(byRole), hasCode('ERR_CLAIM_SET_UNKNOWN'))
    await log.store.open().append(bytesOf(declare(['iss', 'role'], true)))
    await log.caughtUp()
    await assert.rejects(log.publisher.publish(byRole), hasCode('ERR_CLAIM_SET_UNKNOWN'))
    await log.store.open().append(bytesOf(declare(['role', 'iss'], false)))
    await log.caughtUp()
    assert.equal((await log.publisher.publish(byRole)).position, 3)
  })

  test('what would pass the limit, with an alarm; a repeat of what is there is none of it', async () => {
    const log = await start({ revocationsLimit: 1 })
    await log.publisher.publish(alice)
    await log.caughtUp()
    const other = { ...alice, match: { jti: 'j' } }
    await assert.rejects(log.publisher.publish(other), hasCode('ERR_REVOCATIONS_LIMIT'))
    assert.equal(log.errors.length, 1)
    assert.equal((await log.publisher.publish(alice)).id, undefined)
    assert.equal(log.store.entries.length, 1)
  })
})

test('an append that failed is not taken for done: the same revocation is appended when it is asked for again', async () => {
  const log = await start()
  log.store.failAppends(new RescindError('ERR_LOG_TIMEOUT', 'it may have been stored'))
  await assert.rejects(log.publisher.publish(alice), hasCode('ERR_LOG_TIMEOUT'))
  log.store.failAppends(undefined)
  assert.equal((await log.publisher.publish(alice)).position, 1)
})

test('the longest lifetime is declared again when the log lost it before it was read', async () => {
  const { store, follower } = await start()
  const log = store.open()
  let isLost = false
  const losing = {
    ...log,
    append: (event: Uint8Array) => {
      const appended = log.append(event)
      if (!isLost) store.wipe()
      isLost = true
      return appended
    },
  }
  const { logger } = createErrorLogger()
  const clock = { ...systemClock, after: (_ms: number, action: () => void) => systemClock.after(0, action) }
  const declaration = keepLifetimeDeclared({
    log: losing,
    follower,
    codec: plainCodec,
    maxTokenLifetimeSeconds: 100,
    logger,
    clock,
  })
  await declaration.declared
  declaration.close()
  assert.equal(follower.state.lifetimes.seconds, 100)
  assert.equal(isLost, true)
})

test('the longest lifetime is declared when it grows, and not when it stays or shrinks', async () => {
  const log = await start()
  const opened = log.store.open()
  const { logger } = createErrorLogger()
  for (const maxTokenLifetimeSeconds of [500, 500, 300, 600]) {
    const { follower } = log
    const declaration = keepLifetimeDeclared({
      log: opened,
      follower,
      codec: plainCodec,
      maxTokenLifetimeSeconds,
      logger,
    })
    await declaration.declared
    declaration.close()
  }
  assert.deepEqual(
    eventsOf(log).map(event => (event.kind === 'token-lifetime' ? event.seconds : undefined)),
    [500, 600],
  )
})

test('what is published is what is decided: the log says what the revocations themselves say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRevocation, { minLength: 1, maxLength: 15 }),
      fc.array(anyToken, { minLength: 5, maxLength: 15 }),
      async (revocations, tokens) => {
        const log = await startPublishedLog({ nowSeconds: 1_000 })
        try {
          for (const event of declarations) await log.store.open().append(bytesOf(event))
          await log.caughtUp()
          const admitted = revocations.filter(({ match }) => !Object.hasOwn(match, 'role'))
          for (const { kind: _kind, id: _id, revokedAt: _at, ...revocation } of admitted) {
            await log.publisher.publish({ ...revocation, actor: 'test' })
            await log.caughtUp()
          }
          const state = new LiveState()
          for (const { position, digest, event } of log.store.entries)
            state.apply(position, digest, plainCodec.decode(event))
          for (const now of [100, 500, 900]) {
            assert.deepEqual(
              tokens.map(token => tableRejects(tableOf(state), state.claimSets.sets, token, now)),
              tokens.map(token => modelRejects([...declarations, ...admitted], token, now)),
            )
          }
        } finally {
          await log.close()
        }
      },
    ),
    { numRuns: 50 },
  )
})
