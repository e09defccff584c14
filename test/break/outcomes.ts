/**
 * Runs single tests by name and tells what became of each.
 *
 * @module
 */
import { run } from 'node:test'

/** What became of a test; `other` is a failure that is not its own, such as that of a hook. */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'not run' | 'other'

/** The event of a test; the fields that count here. */
interface TestEvent {
  readonly name: string
  readonly skip?: string | boolean
  readonly details: { readonly error?: { readonly failureType?: string } }
}

const weights: readonly Outcome[] = ['not run', 'skipped', 'passed', 'other', 'failed']

const fileTimeoutMs = 120_000
/** How Node marks a test that is there but has another name. */
const otherName = 'test name does not match pattern'

/** Runs the tests with these names in compiled test files, two files at once; the outcome of each name. */
export const outcomesOf = async (
  files: readonly string[],
  names: readonly string[],
): Promise<ReadonlyMap<string, Outcome>> => {
  const outcomes = new Map<string, Outcome>(names.map(name => [name, 'not run']))
  const note = ({ name, skip }: TestEvent, outcome: Outcome): void => {
    const before = outcomes.get(name)
    if (before === undefined || skip === otherName) return
    // Of tests with the same name, such as those of each driver, one that fails counts for all.
    if (weights.indexOf(outcome) > weights.indexOf(before)) outcomes.set(name, outcome)
  }
  const stream = run({
    files: [...files],
    concurrency: 2,
    timeout: fileTimeoutMs,
    testNamePatterns: names.map(name => new RegExp(`^${escaped(name)}$`)),
  })
  stream.on('test:pass', (event: TestEvent) => note(event, event.skip ? 'skipped' : 'passed'))
  stream.on('test:fail', (event: TestEvent) => {
    const isItsOwn = event.details.error?.failureType === 'testCodeFailure'
    note(event, isItsOwn ? 'failed' : 'other')
  })
  for await (const _ of stream);
  return outcomes
}

const escaped = (name: string): string => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
