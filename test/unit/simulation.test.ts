/** The simulation itself: a seed repeats exactly, and its breaks fit the source as it is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { broken } from '../break/break.ts'
import { ruleBreaks, ruleTexts } from '../simulation/breaks.ts'
import type { LogKind } from '../simulation/log-server.ts'
import { drawSetting } from '../simulation/setting.ts'
import { simulate } from '../simulation/simulation.ts'
import { projectRoot } from '../support/project.ts'
import { createDice } from '../support/random.ts'

const allLines = 1_000_000

const seedWith = (log: LogKind): number => {
  let seed = 1
  while (drawSetting(createDice(seed)).log !== log) seed += 1
  return seed
}

for (const log of ['embedded', 'redis', 'kafka'] as const) {
  test(`the same seed does the same, on a log like ${log}`, async () => {
    const seed = seedWith(log)
    const [one, other] = [await simulate(seed, allLines), await simulate(seed, allLines)]
    assert.equal(one.setting.log, log)
    assert.ok(one.trace.length > 20)
    assert.deepEqual(one, other)
    assert.equal(one.violation, undefined)
  })
}

describe('the breaks of rules', () => {
  for (const each of ruleBreaks) {
    test(`can break: ${each.what}`, () => {
      const source = readFileSync(join(projectRoot, each.file), 'utf8')
      assert.notEqual(broken(source, each), source)
    })
  }

  test('are of every rule, in their order', () => {
    assert.deepEqual([...new Set(ruleBreaks.map(({ rule }) => rule))], Object.keys(ruleTexts))
  })
})
