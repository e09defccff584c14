/** What is told of why a token is rejected is what an enforcer decides, whatever happened before. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LiveState } from '../../revocation/live-state.ts'
import { heldForMatch, rejecting } from '../../revocation/probes.ts'
import { placeNamed, revocationName } from '../../revocation/revocation-name.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import {
  anyRevocation,
  anyToken,
  applyAll,
  block,
  cut,
  declarations,
  lifetime,
  restore,
  type SomeToken,
  someTime,
} from '../support/revocations.ts'

const probed = ({ claims, facts, iat }: SomeToken) => ({ claims, facts, iatSeconds: Math.floor(iat) })

const namesOf = (found: ReturnType<typeof rejecting>) => {
  assert.notEqual(typeof found, 'string')
  return typeof found === 'string' ? [] : found.map(({ name }) => name)
}

test('a token has revocations that reject it exactly if an enforcer rejects it', () => {
  const revocations = fc.array(anyRevocation, { minLength: 1, maxLength: 20 })
  const restoredOf = revocations.chain(all =>
    fc.subarray(all).map(some => [...all, ...some.map(one => restore(one))]),
  )
  fc.assert(
    fc.property(
      restoredOf,
      fc.array(anyToken, { minLength: 5, maxLength: 20 }),
      someTime,
      (events, tokens, now) => {
        const state = new LiveState()
        applyAll(state, [...declarations, ...events])
        const table = tableOf(state)
        for (const token of tokens) {
          const isRejected = tableRejects(table, state.claimSets.sets, token, now)
          assert.equal(namesOf(rejecting(state, probed(token), now)).length > 0, isRejected)
        }
      },
    ),
  )
})

describe('of a state', () => {
  const user = { iss: 'https://a', sub: 'alice' }
  const stateOf = (...events: Parameters<typeof applyAll>[1]) => {
    const state = new LiveState()
    applyAll(state, [lifetime(1_000), ...events])
    return state
  }

  test('each revocation is told of with its name and where the log holds it; a lost one without that', () => {
    const [one, two] = [block(user, 500), cut(user, 100)]
    const state = stateOf(one, two)
    const token = { claims: user, facts: {}, iatSeconds: 100 }
    const told = () => {
      const found = rejecting(state, token, 0)
      assert.ok(typeof found !== 'string')
      return found.map(({ name, position }) => [name, position]).sort()
    }
    const where = (at: (number | undefined)[]) =>
      [one, two].map((each, index) => [revocationName(each), at[index]])
    assert.deepEqual(told(), where([2, 3]).sort())
    assert.deepEqual(namesOf(rejecting(state, { ...token, iatSeconds: 101 }, 0)), [revocationName(one)])
    assert.deepEqual(namesOf(rejecting(state, { ...token, iatSeconds: undefined }, 500)), [
      revocationName(two),
    ])
    state.restart()
    assert.deepEqual(told(), where([undefined, undefined]).sort())
  })

  test('those for a match are the ones of its claims or some of them, blocks and cuts', () => {
    const same = [block(user, 500), block(user, 600), cut(user, 100), block({ sub: 'alice' }, 500)]
    const others = [block({ ...user, $client: 'web' }, 500), block({ iss: 'https://a', sub: 'bob' }, 500)]
    const state = stateOf(...same, ...others)
    assert.deepEqual(
      heldForMatch(state, user, 0)
        .map(({ name }) => name)
        .sort(),
      same.map(revocationName).sort(),
    )
    assert.deepEqual(
      heldForMatch(state, { sub: 'alice' }, 0).map(({ name }) => name),
      [revocationName(same.at(-1)!)],
    )
  })
})

test('a name is an id and a key, and nothing else is a name', () => {
  const one = block({ jti: 'x' }, 500)
  const name = revocationName(one)
  assert.deepEqual(placeNamed(name), { id: one.id, key: name.slice(32) })
  for (const text of ['', name.slice(1), `${name}0`, name.toUpperCase(), one.id, `${name.slice(0, -1)}g`]) {
    assert.equal(placeNamed(text), undefined)
  }
})
