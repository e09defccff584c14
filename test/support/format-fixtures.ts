/**
 * Messages of others, as their products write them: test/fixtures/formats.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './project.ts'

/** The bytes of a fixture. */
export const fixture = (name: string): Buffer =>
  readFileSync(join(projectRoot, 'test', 'fixtures', 'formats', `${name}.json`))

/** The same, parsed. */
// biome-ignore lint/suspicious/noExplicitAny: tests change it at will.
export const fixtureJson = (name: string): any => JSON.parse(fixture(name).toString())
