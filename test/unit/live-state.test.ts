/** The live state, case by case: times, merging, restoring, declarations, pruning. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { type Match, matchKey } from '../../revocation/key.ts'
import { LiveState } from '../../revocation/live-state.ts'
import { issuedBeforeAheadLimit, type LogEvent } from '../../revocation/revocation.ts'
import {
  defaultTokenLifetimes,
  lifetimeAt,
  lifetimeRaisesLimit,
  raiseDelaySeconds,
} from '../../revocation/token-lifetimes.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import {
  applyAll,
  block,
  cut,
  declare,
  expiryOf,
  idOf,
  lifetime,
  lifetimeSeconds,
  restore,
  token,
} from '../support/revocations.ts'

const alice: Match = { iss: 'https://a', sub: 'alice' }
const bob: Match = { iss: 'https://a', sub: 'bob' }
const latest = 2 ** 32 - 1

const stateOf = (...events: readonly LogEvent[]): LiveState => {
  const state = new LiveState()
  applyAll(state, events)
  return state
}

const entryOf = (state: LiveState, match: Match, isCut: boolean) => state.entry(matchKey(match, isCut).key)

const rejects = (state: LiveState, iat: number, now: number): boolean =>
  tableRejects(tableOf(state), state.claimSets.sets, token(alice, iat), now)

const pruneAll = (state: LiveState, expiredAt: number): void => {
  while (!state.pruneStep(expiredAt, 10));
}

describe('times', () => {
  test('expiresAt is rounded up, so that nothing is forgotten too early', () => {
    assert.deepEqual(entryOf(stateOf(block(alice, 100.001)), alice, false), {
      expiresAt: 101,
      issuedBefore: latest,
    })
  })

  test('expiresAt beyond 2^32-1 saturates there', () => {
    for (const expiresAt of [2 ** 32, 99_999_999_999_999, Number.MAX_VALUE]) {
      assert.equal(entryOf(stateOf(block(alice, expiresAt)), alice, false)?.expiresAt, latest)
    }
  })

  test('a cut that is as late as can be is still a cut and not a block', () => {
    const { expiresAt, issuedBefore } = entryOf(stateOf(cut(alice, Number.MAX_VALUE)), alice, true) ?? {}
    assert.deepEqual({ expiresAt, issuedBefore }, { expiresAt: latest, issuedBefore: latest - 1 })
  })

  test('an iat with a fraction is rounded down before it is compared', () => {
    const state = stateOf(lifetime(lifetimeSeconds), cut(alice, 10))
    assert.equal(rejects(state, 10.999, 50), true)
    assert.equal(rejects(state, 11, 50), false)
  })

  test('a cut lasts for the longest token lifetime, whatever expiresAt says', () => {
    const state = stateOf(lifetime(lifetimeSeconds), { ...cut(alice, 10), expiresAt: 5_000 })
    assert.equal(entryOf(state, alice, true)?.expiresAt, 10 + lifetimeSeconds)
  })

  test('an entry is over at its expiresAt and not before', () => {
    const state = stateOf(block(alice, 100))
    assert.equal(rejects(state, 0, 99.999), true)
    assert.equal(rejects(state, 0, 100), false)
  })
})

describe('merging', () => {
  test('revocations of one key become the later expiresAt and the later issuedBefore', () => {
    const state = stateOf(
      lifetime(lifetimeSeconds),
      cut(alice, 30),
      cut(alice, 20),
      block(alice, 40),
      block(alice, 90),
    )
    assert.deepEqual(entryOf(state, alice, true), { expiresAt: 30 + lifetimeSeconds, issuedBefore: 30 })
    assert.deepEqual(entryOf(state, alice, false), { expiresAt: 90, issuedBefore: latest })
  })

  test('a block and a cut of the same claims are two keys: the cut does not last as long as the block', () => {
    const state = stateOf(lifetime(100), cut(alice, 10), block(alice, 50))
    assert.equal(state.size, 2)
    assert.equal(rejects(state, 5, 105), true)
    assert.equal(rejects(state, 20, 40), true)
    assert.equal(rejects(state, 20, 60), false)
  })

  const many = Array.from({ length: 65 }, (_, index) => block(alice, 100 + index, idOf(index)))

  test('64 revocations of one key can be restored one by one', () => {
    const singles = many.slice(0, 64)
    const state = stateOf(...singles)
    for (const revocation of singles.toReversed()) {
      assert.equal(entryOf(state, alice, false)?.expiresAt, revocation.expiresAt)
      applyAll(state, [restore(revocation)])
    }
    assert.equal(entryOf(state, alice, false)?.expiresAt, 0)
  })

  test('the 65th revocation of a key is enforced, and cannot be restored alone', () => {
    const state = stateOf(...many)
    assert.equal(entryOf(state, alice, false)?.expiresAt, 164)
    for (const revocation of many) applyAll(state, [restore(revocation)])
    assert.equal(entryOf(state, alice, false)?.expiresAt, 164)
  })

  test('revocations that expired do not count against the 64 of a key that lives on', () => {
    const state = stateOf(...many.slice(0, 64), block(alice, 1_000, idOf('last')))
    pruneAll(state, 500)
    const next = block(alice, 2_000, idOf('next'))
    applyAll(state, [next])
    assert.equal(entryOf(state, alice, false)?.expiresAt, 2_000)
    applyAll(state, [restore(next)])
    assert.equal(entryOf(state, alice, false)?.expiresAt, 1_000)
  })
})

describe('restoring', () => {
  const revocation = block(alice, 100)

  test('a restoration takes effect before its target as well as after it', () => {
    for (const events of [
      [revocation, restore(revocation)],
      [restore(revocation), revocation],
    ]) {
      assert.equal(rejects(stateOf(...events), 0, 50), false)
    }
  })

  test('what else is revoked under the same key stays revoked', () => {
    const other = block(alice, 90, idOf('other'))
    const state = stateOf(revocation, other, restore(revocation))
    assert.equal(entryOf(state, alice, false)?.expiresAt, 90)
  })

  test('a restored key is a tombstone until its target would have expired, and then is forgotten', () => {
    const state = stateOf(revocation, restore(revocation))
    pruneAll(state, 99)
    assert.deepEqual(
      Array.from(state.changedAfter(-1), ({ entry }) => entry),
      [{ expiresAt: 0, issuedBefore: 0 }],
    )
    pruneAll(state, 100)
    assert.equal(state.size, 0)
  })

  test('a restoration whose target is not in the log is a tombstone too, for enforcers may hold the target', () => {
    const state = stateOf(restore(revocation))
    const [row] = state.changedAfter(-1)
    assert.deepEqual(row?.entry, { expiresAt: 0, issuedBefore: 0 })
    applyAll(state, [revocation, block(alice, 50, idOf('new'))])
    assert.equal(entryOf(state, alice, false)?.expiresAt, 50)
    assert.equal(state.claimSets.sets.length, 1)
  })

  test('a restoration that names an earlier expiry is kept as long as its target would have lived', () => {
    const state = stateOf(revocation, restore(revocation, 20))
    pruneAll(state, 50)
    applyAll(state, [revocation])
    assert.equal(rejects(state, 0, 60), false)
  })

  test('a replay of the target while the restoration is kept revives nothing', () => {
    const state = stateOf(revocation, restore(revocation))
    pruneAll(state, 99)
    applyAll(state, [revocation, restore(revocation), revocation])
    assert.equal(rejects(state, 0, 99), false)
  })
})

describe('declarations', () => {
  test('a revocation of an undeclared claim set is a dead letter, and is held without being in use', () => {
    const state = new LiveState()
    assert.equal(state.apply(1, 1n, block({ iss: 'https://a', role: 'admin' }, 100)), 'claim_set_undeclared')
    assert.equal(state.position, 1)
    assert.deepEqual(state.claimSets.sets, [])
    assert.equal(state.apply(2, 2n, declare(['iss', 'role'], false)), undefined)
    assert.equal(state.claimSets.sets.length, 1)
  })

  test('undeclared claim sets cannot fill the memory', () => {
    const state = new LiveState()
    for (let index = 0; index < 1_000; index++)
      state.apply(index, 0n, block({ iss: 'https://a', [`claim${index}`]: 'x' }, 100))
    assert.ok(state.size < 256)
  })

  test('a cut lasts as long as tokens may live, also if that was declared after it', () => {
    const state = stateOf(cut(alice, 10), lifetime(100), cut(bob, 20))
    assert.equal(entryOf(state, alice, true)?.expiresAt, 110)
    applyAll(state, [lifetime(50, -1_000)])
    assert.equal(entryOf(state, alice, true)?.expiresAt, 60)
  })

  test('a declared claim set is admitted in the kind that was declared only', () => {
    const state = stateOf(declare(['iss', 'role'], true))
    assert.equal(state.admits({ names: ['iss', 'role'], cut: true }), true)
    assert.equal(state.admits({ names: ['iss', 'role'], cut: false }), false)
  })

  test('at most 16 claim sets are declared; the first in log order win, and repeats do not count', () => {
    const state = new LiveState()
    const apply = (event: LogEvent) => state.apply(state.position + 2, 1n, event)
    for (let index = 0; index < 16; index++) {
      assert.equal(apply(declare(['iss', `claim${index}`], false)), undefined)
      assert.equal(apply(declare([`claim${index}`, 'iss'], false)), undefined)
    }
    assert.equal(apply(declare(['iss', 'claim16'], false)), 'claim_sets_limit')
    assert.equal(apply(declare(['iss', 'claim0'], false)), undefined)
    assert.equal(apply(declare(['iss', 'sub'], false)), undefined)
    assert.equal(apply(block({ iss: 'https://a', claim16: 'x' }, 100)), 'claim_set_undeclared')
  })

  test('the longest token lifetime only grows, and not without end', () => {
    const state = stateOf(lifetime(300), lifetime(200), lifetime(250))
    assert.deepEqual(state.lifetimes, { seconds: 300, earlier: [] })
    const raises = Array.from({ length: lifetimeRaisesLimit }, (_, index) => lifetime(301 + index, 1 + index))
    applyAll(state, raises)
    assert.equal(state.lifetimes.earlier.length, lifetimeRaisesLimit)
    assert.equal(state.apply(100, 0n, lifetime(1_000, 1_000)), 'lifetime_raises_limit')
    assert.equal(state.lifetimes.seconds, 300 + lifetimeRaisesLimit)
  })

  test('a raised lifetime holds only for tokens that no cut of before can be meant for', () => {
    const declaredAt = 10_000
    const state = stateOf(lifetime(100), cut(alice, 10), lifetime(250, declaredAt))
    const latestCut = declaredAt + issuedBeforeAheadLimit
    applyAll(state, [cut(bob, latestCut)])
    assert.equal(entryOf(state, alice, true)?.expiresAt, 10 + 100)
    assert.equal(entryOf(state, bob, true)?.expiresAt, latestCut + 100)
    assert.equal(lifetimeAt(state.lifetimes, latestCut), 100)
    assert.equal(lifetimeAt(state.lifetimes, declaredAt + raiseDelaySeconds), 100)
    assert.equal(lifetimeAt(state.lifetimes, declaredAt + raiseDelaySeconds + 1), 250)
  })

  test('the first declaration holds from the beginning; before it there is a default', () => {
    assert.equal(entryOf(stateOf(cut(alice, 10)), alice, true)?.expiresAt, 10 + defaultTokenLifetimes.seconds)
    const state = stateOf(lifetime(100, 5_000), cut(alice, 10))
    assert.equal(entryOf(state, alice, true)?.expiresAt, 110)
  })

  test('a lifetime beyond what an entry can hold saturates', () => {
    const state = stateOf(lifetime(1e300), cut(alice, 10))
    assert.equal(state.lifetimes.seconds, latest)
    assert.equal(entryOf(state, alice, true)?.expiresAt, latest)
  })
})

describe('claim sets in use', () => {
  test('the generation is the same for the same sets, whatever their order, and another one for others', () => {
    const [first, second] = stateOf(block(alice, 100), cut(alice, 10)).claimSets.sets
    assert.ok(first !== undefined && second !== undefined)
    assert.equal(claimSetGeneration([first, second]), claimSetGeneration([second, first]))
    const generations = [[], [first], [second], [first, second]].map(claimSetGeneration)
    assert.equal(new Set(generations).size, 4)
  })

  test('a set whose last revocation is restored or pruned goes out of use', () => {
    const jti = block({ jti: 'j1' }, 100)
    const state = stateOf(block(alice, 50), jti)
    assert.equal(state.claimSets.sets.length, 2)
    pruneAll(state, 60)
    assert.deepEqual(state.claimSets.sets, [{ names: ['jti'], cut: false }])
    applyAll(state, [restore(jti)])
    assert.deepEqual(state.claimSets.sets, [])
  })
})

test('a repeat is covered, a later expiry or another key is not', () => {
  const state = stateOf(block(alice, 100))
  const { key } = matchKey(alice, false)
  assert.equal(state.covers(key, state.timesOf({ expiresAt: 100 })), true)
  assert.equal(state.covers(key, state.timesOf({ expiresAt: 99.5 })), true)
  assert.equal(state.covers(key, state.timesOf({ expiresAt: 100.5 })), false)
  assert.equal(state.covers(matchKey(alice, true).key, state.timesOf({ issuedBefore: 0 })), false)
  applyAll(state, [restore(block(alice, 100), expiryOf(block(alice, 100)))])
  assert.equal(state.covers(key, state.timesOf({ expiresAt: 100 })), false)
})
