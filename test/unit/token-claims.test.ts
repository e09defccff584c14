/** Judging claims against a clock that is passed in. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  audiencesOf,
  type ClaimRules,
  checkClaims,
  expiresAtSeconds,
  readTimes,
  type TokenTimes,
} from '../../token/claims.ts'

const someNow = 1_700_000_000
const day = 86_400
const someRules: ClaimRules = {
  audiences: ['api'],
  clockToleranceSeconds: 30,
  maxTokenLifetimeSeconds: 30 * day,
}
const good = { iat: someNow - 10, exp: someNow + 300, aud: 'api' }

function check(changes: object, rules: Partial<ClaimRules> = {}, now = someNow) {
  return checkClaims({ ...good, ...changes }, { ...someRules, ...rules }, now)
}

describe('checkClaims', () => {
  it('accepts a token within its time and for an accepted audience', () => {
    assert.equal(check({}), undefined)
  })

  it('refuses a missing, non-numeric or infinite exp or iat, each with its own reason', () => {
    for (const value of [
      undefined,
      null,
      '1700000000',
      true,
      [someNow],
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]) {
      assert.equal(check({ exp: value }), 'missing_exp')
      assert.equal(check({ iat: value }), 'missing_iat')
    }
    assert.equal(check({ exp: JSON.parse('1e999') }), 'missing_exp')
  })

  it('takes no claim from a prototype', () => {
    assert.equal(checkClaims(Object.create(good), someRules, someNow), 'missing_exp')
  })

  it('refuses a token from exp + tolerance on, fractions included', () => {
    assert.equal(check({}, {}, good.exp + 29.9), undefined)
    assert.equal(check({}, {}, good.exp + 30), 'expired')
    assert.equal(check({ exp: someNow - 29.5 }), undefined)
    assert.equal(check({ exp: someNow - 30.5 }), 'expired')
  })

  it('gives a revoker the grace that it asks for after exp, and none beyond', () => {
    const rules = { expiredGraceSeconds: 300 }
    assert.equal(check({}, rules, good.exp + 329), undefined)
    assert.equal(check({}, rules, good.exp + 330), 'expired')
  })

  it('refuses nbf beyond the tolerance unless told to ignore it', () => {
    assert.equal(check({ nbf: someNow + 30 }), undefined)
    assert.equal(check({ nbf: someNow + 31 }), 'not_yet_valid')
    assert.equal(check({ nbf: 'soon' }), 'invalid_nbf')
    assert.equal(check({ nbf: someNow + 31 }, { ignoreNotBefore: true }), undefined)
  })

  it('refuses iat beyond the tolerance and the grace', () => {
    assert.equal(check({ iat: someNow + 30 }), undefined)
    assert.equal(check({ iat: someNow + 31 }), 'issued_in_future')
    assert.equal(check({ iat: someNow + 31 }, { futureGraceSeconds: 300 }), undefined)
    assert.equal(
      check({ iat: someNow + 331, exp: someNow + 400 }, { futureGraceSeconds: 300 }),
      'issued_in_future',
    )
  })

  it('refuses a lifetime over the limit, such as exp 99999999999999', () => {
    assert.equal(check({ exp: 99_999_999_999_999 }), 'lifetime_too_long')
    assert.equal(check({ exp: good.iat + 30 * day }), undefined)
    assert.equal(check({ exp: good.iat + 30 * day + 1 }), 'lifetime_too_long')
    assert.equal(check({ iat: -1e300 }), 'lifetime_too_long')
  })

  it('accepts no token that outlives a cut made at its rounded-down iat', () => {
    const token = fc.record({
      iat: fc.double({ min: someNow - 40 * day, max: someNow, noNaN: true }),
      lifetime: fc.double({ min: 30 * day - 2, max: 30 * day + 2, noNaN: true }),
    })
    fc.assert(
      fc.property(token, ({ iat, lifetime }) => {
        const exp = iat + lifetime
        const outlives = exp > Math.floor(iat) + someRules.maxTokenLifetimeSeconds
        assert.equal(check({ iat, exp }, {}, iat) === 'lifetime_too_long', outlives)
      }),
    )
  })

  it('accepts an aud that names an accepted audience, alone or among others', () => {
    assert.equal(check({ aud: ['other', 'api'] }), undefined)
    for (const aud of ['other', ['other'], [], undefined, 7, ['API'], 'api ', [['api']], { api: true }]) {
      assert.equal(check({ aud }), 'wrong_audience', JSON.stringify(aud))
      assert.equal(check({ aud }, { audiences: [] }), undefined, 'an empty list accepts any')
    }
  })
})

describe('readTimes', () => {
  it('rounds iat down and a revocation time up, saturating at 2^32-1', () => {
    const times = readTimes({ iat: 100.9, exp: 200.1, nbf: 99.5 }) as TokenTimes
    assert.deepEqual(times, { iatSeconds: 100, expSeconds: 200.1, nbfSeconds: 99.5 })
    assert.equal(expiresAtSeconds(times), 201)
    assert.equal(expiresAtSeconds({ ...times, expSeconds: 1e300 }), 2 ** 32 - 1)
    assert.equal(expiresAtSeconds({ ...times, expSeconds: -5 }), 0)
  })
})

describe('audiencesOf', () => {
  it('gives the texts that aud names and leaves out anything else', () => {
    assert.deepEqual(audiencesOf({ aud: 'a' }), ['a'])
    assert.deepEqual(audiencesOf({ aud: ['a', 1, null, 'b'] }), ['a', 'b'])
    assert.deepEqual(audiencesOf({ aud: 1 }), [])
    assert.deepEqual(audiencesOf({}), [])
  })
})
