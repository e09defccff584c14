/** Revocations that are published together: all or none, in their order, and nothing twice. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import type { NewRevocation } from '../../revoker/publisher.ts'
import { publishedLogsOfTests } from '../support/published-log.ts'

const alice: NewRevocation = { match: { iss: 'https://a', sub: 'alice' }, expiresAt: 2_000, actor: 'test' }

const start = publishedLogsOfTests()

const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code

describe('revocations that are published together', () => {
  const both = [alice, { ...alice, match: { iss: 'https://op.example', jti: 'j' } }] as const

  test('are appended in their order, and are enforced from the last position on', async () => {
    const log = await start()
    const { each, position, isByJti } = await log.publisher.publishAll(both)
    assert.deepEqual(
      each.map(published => published.position),
      [1, 2],
    )
    assert.equal(position, 2)
    assert.equal(isByJti, false)
  })

  test('are all refused if one is', async () => {
    const log = await start()
    const bad = { ...alice, match: {} }
    await assert.rejects(log.publisher.publishAll([alice, bad]), hasCode('ERR_REVOCATION_INVALID'))
    assert.equal(log.store.entries.length, 0)
  })

  test('are all refused if there is room for some only', async () => {
    const log = await start({ revocationsLimit: 1 })
    await assert.rejects(log.publisher.publishAll(both), hasCode('ERR_REVOCATIONS_LIMIT'))
    assert.equal(log.store.entries.length, 0)
  })

  test('are appended only where the log lacks them', async () => {
    const log = await start()
    await log.publisher.publish(alice)
    await log.caughtUp()
    const { each, position } = await log.publisher.publishAll(both)
    assert.equal(each[0]?.id, undefined)
    assert.deepEqual(
      each.map(published => published.position),
      [1, 2],
    )
    assert.equal(position, 2)
  })

  test('are appended once each: of two that are equal the second says nothing more', async () => {
    const log = await start()
    const longer = { ...alice, expiresAt: 3_000 }
    const { each } = await log.publisher.publishAll([alice, alice, longer])
    assert.equal(log.store.entries.length, 2)
    assert.equal(each[1]?.id, each[0]?.id)
    assert.equal(each[1]?.position, each[0]?.position)
    assert.notEqual(each[2]?.id, each[0]?.id)
  })

  test('are told to enforcers of Choreo Connect if each is of one jti', async () => {
    const log = await start()
    const byJti = { match: { jti: 'j' }, expiresAt: 2_000, actor: 'test' }
    assert.equal((await log.publisher.publishAll([byJti])).isByJti, true)
    const cut = { match: { jti: 'j' }, issuedBefore: 900, actor: 'test' }
    assert.equal((await log.publisher.publishAll([byJti, cut])).isByJti, false)
  })
})
