/** What the live state and the table decide is what the revocations themselves say, in any order and however often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import type { ClaimSet } from '../../revocation/claim-set.ts'
import type { LiveKey } from '../../revocation/live-key.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent, Restoration, Revocation } from '../../revocation/revocation.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import { modelRejects } from '../support/revocation-model.ts'
import {
  anyRevocation,
  anyToken,
  applyAll,
  declarations,
  expiryOf,
  restore,
  type SomeToken,
  someTime,
} from '../support/revocations.ts'

interface Story {
  /** Revocations and restorations of some of them, in random order, some repeated. */
  readonly events: readonly LogEvent[]
  readonly tokens: readonly SomeToken[]
  readonly now: number
}

/** A restoration lasts as long as the longest of the repeats of its target. */
const restoreAll = (target: Revocation, revocations: readonly Revocation[]): Restoration =>
  restore(target, Math.max(...revocations.filter(({ id }) => id === target.id).map(other => expiryOf(other))))

const someEvents: Arbitrary<readonly LogEvent[]> = fc
  .array(anyRevocation, { minLength: 1, maxLength: 25 })
  .chain(revocations => {
    const restorations = fc
      .subarray(revocations)
      .map(targets => targets.map(target => restoreAll(target, revocations)))
    const all = restorations.map(restored => [...revocations, ...restored])
    return all.chain(events =>
      fc
        .tuple(fc.shuffledSubarray(events, { minLength: events.length }), fc.subarray(events))
        .map(([shuffled, repeated]) => [...shuffled, ...repeated]),
    )
  })

const story: Arbitrary<Story> = fc.record({
  events: someEvents,
  tokens: fc.array(anyToken, { minLength: 5, maxLength: 30 }),
  now: someTime,
})

const decisions = (state: LiveState, { tokens, now }: Story): boolean[] => {
  const table = tableOf(state)
  return tokens.map(token => tableRejects(table, state.claimSets.sets, token, now))
}

const stateAfter = (events: readonly LogEvent[]): LiveState => {
  const state = new LiveState()
  applyAll(state, [...declarations, ...events])
  return state
}

test('the table rejects exactly the tokens that the revocations themselves reject', () => {
  let rejected = 0
  let accepted = 0
  fc.assert(
    fc.property(story, given => {
      const expected = given.tokens.map(token =>
        modelRejects([...declarations, ...given.events], token, given.now),
      )
      assert.deepEqual(decisions(stateAfter(given.events), given), expected)
      rejected += expected.filter(Boolean).length
      accepted += expected.filter(one => !one).length
    }),
    { numRuns: 1_000 },
  )
  assert.ok(rejected > 500 && accepted > 500, `${rejected} rejected, ${accepted} accepted`)
})

test('order, duplicates and replays of revocations and restorations do not change what is decided', () => {
  fc.assert(
    fc.property(
      story.chain(given =>
        fc.record({
          given: fc.constant(given),
          // Declarations too: trimming may bring one behind what needs it.
          order: fc.shuffledSubarray([...declarations, ...given.events], {
            minLength: declarations.length + given.events.length,
          }),
          replays: fc.array(fc.constantFrom(...given.events), { maxLength: 10 }),
        }),
      ),
      ({ given, order, replays }) => {
        const inOrder = decisions(stateAfter(given.events), given)
        const state = new LiveState()
        applyAll(state, [...order, ...replays])
        assert.deepEqual(decisions(state, given), inOrder)
      },
    ),
    { numRuns: 500 },
  )
})

/** All that a state holds, but for the positions at which it was read and the order of what has none. */
const contentsOf = (state: LiveState) => {
  const byText = <Item>(items: Iterable<Item>, textOf: (item: Item) => string): Item[] =>
    [...items].sort((one, other) => (textOf(one) < textOf(other) ? -1 : 1))
  const { claimSets, lifetimes } = state.summary
  const images = Array.from(state.all(), ({ text, entry }) => {
    return { key: text, entry, image: (state.live(text) as LiveKey).image }
  })
  const keys = images.map(({ key, entry, image }) => ({
    key,
    entry,
    restoredUntil: image.restoredUntil,
    // A tombstone needs none; it may have been read before what was restored.
    claimSet: image.singles.length === 0 ? undefined : claimSets[image.claimSet as number],
    singles: byText(image.singles, ({ id }) => id).map(({ id, times }) => ({ id, times })),
    merged: image.merged?.times,
  }))
  return {
    keys: byText(keys, ({ key }) => key),
    restored: byText(state.restorations.all, ([id]) => id).map(([id, { until }]) => [id, until]),
    inUse: byText(state.claimSets.sets, ({ names, cut }) => `${names} ${cut}`),
    generation: state.claimSets.generation,
    lifetimes: lifetimes.declarations.map(({ seconds, declaredAt }) => [seconds, declaredAt]),
  }
}

test('duplicated, reordered and replayed events end in the same state', () => {
  fc.assert(
    fc.property(
      someEvents.chain(events =>
        fc.record({
          events: fc.constant(events),
          disturbed: fc
            .array(fc.constantFrom(...events), { maxLength: 30 })
            .chain(again =>
              fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }),
            ),
          replayed: fc.nat({ max: events.length }),
        }),
      ),
      ({ events, disturbed, replayed }) => {
        // A replay begins somewhere and goes on in the old order, as after a resume at an earlier position.
        const received = [...disturbed, ...events.slice(replayed)]
        assert.deepEqual(contentsOf(stateAfter(received)), contentsOf(stateAfter(events)))
      },
    ),
    { numRuns: 500 },
  )
})

test('pruning what expired, between any two events, does not change what is decided from then on', () => {
  fc.assert(
    fc.property(
      story,
      fc.array(fc.tuple(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 20 })), { maxLength: 20 }),
      (given, prunes) => {
        const state = new LiveState()
        applyAll(state, declarations)
        given.events.forEach((event, index) => {
          applyAll(state, [event])
          for (const [place, keys] of prunes) if (place === index) state.pruneStep(given.now, keys)
        })
        const expected = given.tokens.map(token =>
          modelRejects([...declarations, ...given.events], token, given.now),
        )
        assert.deepEqual(decisions(state, given), expected)
      },
    ),
    { numRuns: 500 },
  )
})

test('after enough pruning only what is still needed is left, and nothing once all has expired', () => {
  fc.assert(
    fc.property(story, given => {
      const state = stateAfter(given.events)
      while (!state.pruneStep(given.now, 7));
      for (const live of state.changedAfter(-1)) assert.ok(live.lastNeededAt > given.now)
      while (!state.pruneStep(2_000, 7));
      assert.equal(state.size, 0)
      assert.deepEqual(state.claimSets.sets, [])
    }),
    { numRuns: 300 },
  )
})

test('the claim sets in use are those with a live key, and equal sets have an equal generation', () => {
  fc.assert(
    fc.property(story, given => {
      const state = stateAfter(given.events)
      const other = stateAfter([...given.events].reverse())
      const keysOf = (one: LiveState) =>
        [...Array.from(one.changedAfter(-1), ({ text, entry }) => ({ text, entry }))].filter(
          ({ entry }) => entry.expiresAt > 0,
        )
      const { claimSets: sets } = state.summary
      const used = new Set(
        keysOf(state).map(({ text }) => sets[state.live(text)?.claimSet as number] as ClaimSet),
      )
      assert.equal(state.claimSets.sets.length, [...used].filter(set => state.admits(set)).length)
      assert.equal(state.claimSets.generation, other.claimSets.generation)
    }),
    { numRuns: 300 },
  )
})
