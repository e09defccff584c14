/**
 * What every store of grants must do, as tests.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { FoundToken, GrantStore } from '../../revoker/grants/grant-store.ts'
import { grantTokensLimit } from '../../revoker/grants/grant-store.ts'
import { until } from '../support/condition.ts'
import {
  type GrantStoreUnderTest,
  grantReport,
  idOf,
  nowSeconds,
  reportedToken,
} from '../support/grant-stores.ts'

const soon = (): number => Math.ceil(nowSeconds()) + 1
const inAnHour = (): number => Math.floor(nowSeconds()) + 3_600
const refresh = (name: string) => reportedToken(name, { form: 'refresh', name: '' })

const found = async (store: GrantStore, ...names: readonly string[]): Promise<FoundToken> => {
  const token = await store.find(names.map(name => reportedFingerprint(name)))
  assert.ok(token !== undefined, `${names.join(', ')} not found`)
  return token
}
const reportedFingerprint = (name: string): Buffer => reportedToken(name).fingerprint
const isKnown = async (store: GrantStore, name: string): Promise<boolean> =>
  (await store.find([reportedFingerprint(name)])) !== undefined

/** Adds the tests. */
export function testGrantStore(name: string, create: () => Promise<GrantStoreUnderTest>): void {
  describe(`grants in ${name}`, () => {
    let under: GrantStoreUnderTest
    let store: GrantStore
    beforeEach(async () => {
      under = await create()
      store = under.store
    })
    afterEach(() => under.destroy())

    test('a token is found with all that was reported of it', async () => {
      const sealed = Buffer.from([0, 1, 2, 255])
      const access = reportedToken('access', { form: 'opaque', name: 'name-ä', sealed })
      const grant = { subject: 'alice', scopes: ['read', 'write'] }
      assert.equal(await store.add(grantReport('grant', [access], grant)), 'stored')
      const token = await found(store, 'access')
      assert.deepEqual(token, {
        grantId: idOf('grant'),
        fingerprint: access.fingerprint,
        grant: { issuer: 'https://idp.example.com', clientId: 'shop', ...grant },
        token: access.token,
      })
    })

    test('of refresh tokens that were rotated without end the last are known, and what is live of the grant', async () => {
      const rotated = (index: number) => {
        const token = refresh(`rotated ${index}`)
        return { ...token, token: { ...token.token, expiresAt: inAnHour() + index } }
      }
      await store.add(grantReport('grant', [reportedToken('access'), rotated(0)]))
      for (let from = 1; from <= 1_200; from += 100) {
        const some = Array.from({ length: 100 }, (_, index) => rotated(from + index))
        assert.equal(await store.add(grantReport('grant', some)), 'stored')
      }
      assert.equal(await isKnown(store, 'rotated 1200'), true)
      assert.equal(await isKnown(store, 'rotated 0'), false)
      const revoked = await store.revoke(await found(store, 'rotated 1200'), inAnHour())
      assert.equal(revoked.length, grantTokensLimit)
      assert.ok(revoked.some(token => token.name === 'access'))
    })

    test('of several fingerprints the first that is known counts', async () => {
      await store.add(grantReport('grant', [reportedToken('one'), reportedToken('two')]))
      assert.equal((await found(store, 'unknown', 'two', 'one')).token.name, 'two')
      assert.equal(await store.find([idOf('unknown'), idOf('neither')]), undefined)
    })

    test('a report that comes again changes nothing', async () => {
      const report = grantReport('grant', [reportedToken('access'), refresh('refresh')])
      for (let times = 0; times < 3; times += 1) assert.equal(await store.add(report), 'stored')
      const token = await found(store, 'refresh')
      assert.equal((await store.revoke(token, inAnHour())).length, 2)
    })

    test('a token that is reported again keeps the later expiry, and what was sealed until there is more', async () => {
      const later = inAnHour() + 100
      const first = reportedToken('access', { expiresAt: later, sealed: Buffer.from('first') })
      await store.add(grantReport('grant', [first]))
      await store.add(grantReport('grant', [reportedToken('access')]))
      assert.deepEqual((await found(store, 'access')).token, first.token)
      await store.add(grantReport('grant', [reportedToken('access', { sealed: Buffer.from('2') })]))
      assert.deepEqual((await found(store, 'access')).token, { ...first.token, sealed: Buffer.from('2') })
    })

    test('subject and scopes are those that were said last', async () => {
      await store.add(grantReport('grant', [reportedToken('a')], { subject: 'alice', scopes: ['read'] }))
      await store.add(grantReport('grant', [reportedToken('b')]))
      await store.add(grantReport('grant', [reportedToken('c')], { scopes: [] }))
      const { subject, scopes } = (await found(store, 'a')).grant
      assert.deepEqual([subject, scopes], ['alice', []])
    })

    test('a grant of another client or issuer takes nothing', async () => {
      await store.add(grantReport('grant', [reportedToken('mine')]))
      for (const changes of [{ clientId: 'other' }, { issuer: 'https://other.example' }]) {
        const report = grantReport('grant', [reportedToken('theirs')], changes)
        assert.equal(await store.add(report), 'other-client')
      }
      assert.equal(await isKnown(store, 'theirs'), false)
    })

    test('a token of another grant takes the whole report with it', async () => {
      await store.add(grantReport('grant', [reportedToken('mine')]))
      const report = grantReport('other', [reportedToken('new'), reportedToken('mine')])
      assert.equal(await store.add(report), 'other-grant')
      assert.equal(await isKnown(store, 'new'), false)
      assert.deepEqual((await found(store, 'mine')).grantId, idOf('grant'))
    })

    test('revoking tells all tokens of the grant and no others; later ones are told that it is revoked', async () => {
      await store.add(grantReport('grant', [reportedToken('one'), refresh('refresh')]))
      await store.add(grantReport('grant', [reportedToken('two')]))
      await store.add(grantReport('other', [reportedToken('three')]))
      const tokens = await store.revoke(await found(store, 'refresh'), inAnHour())
      assert.deepEqual(tokens.map(token => token.name).sort(), ['', 'one', 'two'])
      const late = grantReport('grant', [reportedToken('late')])
      assert.equal(await store.add(late), 'stored-revoked')
      assert.equal(await store.add(late), 'stored-revoked')
      assert.equal(await store.add(grantReport('other', [reportedToken('four')])), 'stored')
    })

    test('what is reported while its grant is revoked is either told, or told of', async () => {
      for (let round = 0; round < 10; round += 1) {
        const grant = `grant ${round}`
        await store.add(grantReport(grant, [refresh(`refresh ${round}`)]))
        const token = await found(store, `refresh ${round}`)
        const names = Array.from({ length: 20 }, (_, index) => `token ${round} ${index}`)
        const add = async (each: string) => ({
          each,
          outcome: await store.add(grantReport(grant, [reportedToken(each)])),
        })
        const before = names.slice(0, 10).map(add)
        const revoking = store.revoke(token, inAnHour())
        const added = await Promise.all([...before, ...names.slice(10).map(add)])
        const told = new Set((await revoking).map(each => each.name))
        for (const { each, outcome } of added) assert.equal(told.has(each), outcome === 'stored', each)
      }
    })

    test('a grant has at most so many tokens; one that is known may come again', async () => {
      const names = Array.from({ length: grantTokensLimit }, (_, index) => `token ${index}`)
      await Promise.all(names.map(each => store.add(grantReport('grant', [reportedToken(each)]))))
      assert.equal(await store.add(grantReport('grant', [reportedToken('more')])), 'too-many-tokens')
      assert.equal(await store.add(grantReport('grant', [reportedToken('token 0')])), 'stored')
      const tokens = await store.revoke(await found(store, 'token 0'), inAnHour())
      assert.equal(tokens.length, grantTokensLimit)
    })

    test('what has expired is forgotten and makes room; the rest of its grant stays', async () => {
      const names = Array.from({ length: grantTokensLimit - 1 }, (_, index) => `token ${index}`)
      const expiresAt = soon()
      const brief = names.map(each => reportedToken(each, { expiresAt }))
      await Promise.all(brief.map(each => store.add(grantReport('grant', [each]))))
      await store.add(grantReport('grant', [refresh('refresh')]))
      await until('it is forgotten', async () => !(await isKnown(store, 'token 0')))
      const full = Array.from({ length: grantTokensLimit - 1 }, (_, index) => reportedToken(`new ${index}`))
      await until('there is room', async () => (await store.add(grantReport('grant', full))) === 'stored')
      const tokens = await store.revoke(await found(store, 'refresh'), inAnHour())
      assert.equal(tokens.length, grantTokensLimit)
    })

    test('a token that lives longer than was first said stays known', async () => {
      const expiresAt = soon()
      const tokens = ['long', 'brief'].map(each => reportedToken(each, { expiresAt }))
      await store.add(grantReport('grant', tokens))
      await store.add(grantReport('grant', [reportedToken('long')]))
      await until('the other is forgotten', async () => !(await isKnown(store, 'brief')))
      await until('time has passed', () => nowSeconds() > expiresAt + 1.5)
      assert.equal(await isKnown(store, 'long'), true)
    })

    test('a grant that was revoked is remembered after all of its tokens have expired, as long as was asked for', async () => {
      const expiresAt = soon()
      await store.add(grantReport('kept', [reportedToken('a', { expiresAt })]))
      await store.add(grantReport('forgotten', [reportedToken('b', { expiresAt })]))
      await store.revoke(await found(store, 'a'), inAnHour())
      await store.revoke(await found(store, 'b'), expiresAt)
      await until('it is forgotten', async () => !(await isKnown(store, 'a')))
      const again = (grant: string) => store.add(grantReport(grant, [reportedToken(`late in ${grant}`)]))
      await until('time has passed', () => nowSeconds() > expiresAt + 1.5)
      assert.equal(await again('kept'), 'stored-revoked')
      await until('the other mark is gone', async () => {
        const probe = grantReport('forgotten', [reportedToken('probe', { expiresAt: nowSeconds() + 0.1 })])
        return (await store.add(probe)) === 'stored'
      })
    })

    test('all of it is there when it is opened again', async () => {
      await store.add(grantReport('grant', [reportedToken('access'), refresh('refresh')]))
      await store.revoke(await found(store, 'refresh'), inAnHour())
      store = await under.reopen()
      assert.equal(await isKnown(store, 'access'), true)
      assert.equal(await store.add(grantReport('grant', [reportedToken('late')])), 'stored-revoked')
    })
  })
}
