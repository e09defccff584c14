/** What `npm run chaos` kills: enough of each kind, at random moments, and the same for the same seed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawKills, type VictimKind } from '../chaos/plan.ts'
import { createRandom } from '../support/random.ts'

const victims: readonly VictimKind[] = [
  'log',
  'adapter',
  'adapter',
  'revoker',
  'revoker',
  'enforcer',
  'enforcer',
]

const draw = (kills: number, seed: number) =>
  drawKills(victims, { kills, spanMs: 10_000 }, createRandom(seed))

const countOf = (kills: number, seed: number, kind: VictimKind): number =>
  draw(kills, seed).filter(({ victim }) => victims[victim] === kind).length

test('each kind is killed at least five times, or equally often where there are too few kills for that', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    assert.equal(draw(50, seed).length, 50)
    for (const kind of new Set(victims)) {
      assert.ok(countOf(50, seed, kind) >= 5, `${kind} with seed ${seed}`)
      assert.equal(countOf(8, seed, kind), 2)
    }
  }
})

test('the same seed draws the same kills, another one others', () => {
  assert.deepEqual(draw(50, 7), draw(50, 7))
  assert.notDeepEqual(draw(50, 7), draw(50, 8))
})

test('kills come in order of their times, over the whole span, on each process', () => {
  const kills = draw(500, 3)
  const times = kills.map(({ atMs }) => atMs)
  assert.deepEqual(
    times,
    [...times].sort((one, other) => one - other),
  )
  assert.ok(
    (times[0] as number) < 1_000 && (times.at(-1) as number) > 9_000 && (times.at(-1) as number) < 10_000,
  )
  assert.equal(new Set(kills.map(({ victim }) => victim)).size, victims.length)
})
