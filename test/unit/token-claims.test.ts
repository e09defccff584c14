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

const NOW = 1_700_000_000
const DAY = 86_400
const RULES: ClaimRules = { audiences: ['api'], clockToleranceSeconds: 30, maxTokenLifetimeSeconds: 30 * DAY }
const GOOD = { iat: NOW - 10, exp: NOW + 300, aud: 'api' }

function check(changes: object, rules: Partial<ClaimRules> = {}, now = NOW) {
  return checkClaims({ ...GOOD, ...changes }, { ...RULES, ...rules }, now)
}

describe('checkClaims', () => {
  it('accepts a token within its time and for an accepted audience', () => {
    assert.equal(check({}), undefined)
  })

  it('refuses a missing, non-numeric or infinite exp or iat, each with its own reason', () => {
    for (const value of [undefined, null, '1700000000', true, [NOW], Number.POSITIVE_INFINITY, Number.NaN]) {
      assert.equal(check({ exp: value }), 'missing_exp')
      assert.equal(check({ iat: value }), 'missing_iat')
    }
    assert.equal(check({ exp: JSON.parse('1e999') }), 'missing_exp')
  })

  it('takes no claim from a prototype', () => {
    assert.equal(checkClaims(Object.create(GOOD), RULES, NOW), 'missing_exp')
  })

  it('refuses a token from exp + tolerance on, fractions included', () => {
    assert.equal(check({}, {}, GOOD.exp + 29.9), undefined)
    assert.equal(check({}, {}, GOOD.exp + 30), 'expired')
    assert.equal(check({ exp: NOW - 29.5 }), undefined)
    assert.equal(check({ exp: NOW - 30.5 }), 'expired')
  })

  it('gives a revoker the grace that it asks for after exp, and none beyond', () => {
    const rules = { expiredGraceSeconds: 300 }
    assert.equal(check({}, rules, GOOD.exp + 329), undefined)
    assert.equal(check({}, rules, GOOD.exp + 330), 'expired')
  })

  it('refuses nbf beyond the tolerance unless told to ignore it', () => {
    assert.equal(check({ nbf: NOW + 30 }), undefined)
    assert.equal(check({ nbf: NOW + 31 }), 'not_yet_valid')
    assert.equal(check({ nbf: 'soon' }), 'invalid_nbf')
    assert.equal(check({ nbf: NOW + 31 }, { ignoreNotBefore: true }), undefined)
  })

  it('refuses iat beyond the tolerance and the grace', () => {
    assert.equal(check({ iat: NOW + 30 }), undefined)
    assert.equal(check({ iat: NOW + 31 }), 'issued_in_future')
    assert.equal(check({ iat: NOW + 31 }, { futureGraceSeconds: 300 }), undefined)
    assert.equal(check({ iat: NOW + 331, exp: NOW + 400 }, { futureGraceSeconds: 300 }), 'issued_in_future')
  })

  it('refuses a lifetime over the limit, such as exp 99999999999999', () => {
    assert.equal(check({ exp: 99_999_999_999_999 }), 'lifetime_too_long')
    assert.equal(check({ exp: GOOD.iat + 30 * DAY }), undefined)
    assert.equal(check({ exp: GOOD.iat + 30 * DAY + 1 }), 'lifetime_too_long')
    assert.equal(check({ iat: -1e300 }), 'lifetime_too_long')
  })

  it('accepts no token that outlives a cut made at its rounded-down iat', () => {
    const token = fc.record({
      iat: fc.double({ min: NOW - 40 * DAY, max: NOW, noNaN: true }),
      lifetime: fc.double({ min: 30 * DAY - 2, max: 30 * DAY + 2, noNaN: true }),
    })
    fc.assert(
      fc.property(token, ({ iat, lifetime }) => {
        const exp = iat + lifetime
        const outlives = exp > Math.floor(iat) + RULES.maxTokenLifetimeSeconds
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
