/** The breaks of `npm run test:break` fit the source as it is, so that a change of it is noticed here and at once. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { broken } from '../break/break.ts'
import { breaks } from '../break/breaks.ts'
import { invariants } from '../break/invariants.ts'
import { projectRoot } from '../support/project.ts'

describe('the breaks', () => {
  for (const each of breaks) {
    test(`can break: ${each.what}`, () => {
      const source = readFileSync(join(projectRoot, each.file), 'utf8')
      assert.notEqual(broken(source, each), source)
      assert.ok(existsSync(join(projectRoot, 'test', each.testFile)), `test/${each.testFile} is not there`)
    })
  }

  test('has breaks of every invariant, in their order', () => {
    const covered = new Set(breaks.map(({ invariant }) => String(invariant)))
    assert.deepEqual([...covered], Object.keys(invariants))
  })
})
