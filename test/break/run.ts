/**
 * `npm run test:break`: breaks the invariants one by one in a copy of the project, and sees that a test notices.
 * `--no-servers`: only breaks whose test needs nothing but Node. `--only N`: only the break with this number.
 * Exits with 1 if a break was not noticed, or could not be tried.
 *
 * @module
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bringService, findService } from '../services/catalogue.ts'
import { servicesFolder } from '../services/folder.ts'
import { type Break, broken } from './break.ts'
import { breaks } from './breaks.ts'
import { copyProject, type ProjectCopy } from './copy.ts'
import { invariants } from './invariants.ts'
import { outcomesOf } from './outcomes.ts'

/** A break and its number in the list, from 1. */
interface Numbered extends Break {
  readonly number: number
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { 'no-servers': { type: 'boolean' }, only: { type: 'string' } } })
  const chosen = choose(values['no-servers'] === true, values.only)
  for (const service of new Set(chosen.flatMap(({ needs = [] }) => needs))) await bringService(service)
  // The copy has no components of its own, and must not bring any.
  process.env.RESCIND_SERVICES_FOLDER = servicesFolder()

  const say = (line: string) => process.stdout.write(`${line}\n`)
  const startedAtMs = performance.now()
  const copy = copyProject()
  process.on('exit', copy.remove)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
  say(`A copy of the project is compiled (${seconds(startedAtMs)} s). Unbroken, its tests must pass:`)
  const testable = await thoseThatPass(copy, chosen, say)
  say(`${testable.length} of ${chosen.length} breaks can be tried (${seconds(startedAtMs)} s)`)
  let noticed = 0
  let invariant = 0
  for (const each of testable) {
    if (each.invariant !== invariant) say(`\nInvariant ${each.invariant}: ${invariants[each.invariant]}`)
    invariant = each.invariant
    const beganAtMs = performance.now()
    const result = await tryBreak(copy, each)
    if (result === 'noticed') noticed += 1
    say(row(each.number, result, seconds(beganAtMs), each.what))
  }
  say(`\n${noticed} of ${chosen.length} breaks were noticed (${seconds(startedAtMs)} s)`)
  return noticed === chosen.length ? 0 : 1
}

const choose = (withoutServers: boolean, only: string | undefined): readonly Numbered[] => {
  const all = breaks.map((each, index) => ({ ...each, number: index + 1 }))
  if (only !== undefined) {
    const chosen = all.filter(({ number }) => String(number) === only)
    if (chosen.length === 0) throw new Error(`--only: must be 1 to ${all.length}`)
    return chosen
  }
  const chosen = withoutServers ? all.filter(({ needs = [] }) => needs.length === 0) : all
  return chosen.filter(({ needs = [], number }) => {
    const missing = needs.filter(name => findService(name) === undefined)
    if (missing.length === 0 || process.env.RESCIND_REQUIRE_SERVICES === '1') return true
    process.stdout.write(`break ${number} is left out: its test needs ${missing.join(', ')}\n`)
    return false
  })
}

/** Breaks whose test passes on the unbroken copy; the others are said. */
const thoseThatPass = async (
  copy: ProjectCopy,
  chosen: readonly Numbered[],
  say: (line: string) => void,
): Promise<readonly Numbered[]> => {
  const files = new Set(chosen.map(each => compiledTest(copy, each)))
  const outcomes = await outcomesOf([...files], [...new Set(chosen.map(({ testName }) => testName))])
  return chosen.filter(({ number, testFile, testName }) => {
    const outcome = outcomes.get(testName)
    if (outcome !== 'passed') say(`break ${number}: ${outcome}: "${testName}" in test/${testFile}`)
    return outcome === 'passed'
  })
}

/** Breaks the copy, runs the test, and mends the copy. */
const tryBreak = async (copy: ProjectCopy, each: Break): Promise<string> => {
  const source = copy.read(each.file)
  try {
    copy.write(each.file, broken(source, each))
    copy.compile()
    const outcomes = await outcomesOf([compiledTest(copy, each)], [each.testName])
    const outcome = outcomes.get(each.testName)
    if (outcome === 'failed') return 'noticed'
    return outcome === 'passed' ? 'NOT NOTICED' : `ERROR: the test was ${outcome}`
  } catch (error) {
    return `ERROR: ${(error as Error).message.trim()}`
  } finally {
    copy.write(each.file, source)
  }
}

const compiledTest = (copy: ProjectCopy, { testFile }: Break): string =>
  join(copy.folder, 'dist', 'test', testFile.replace(/\.ts$/, '.js'))

const seconds = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(1)

const row = (number: number, result: string, took: string, what: string): string =>
  `${String(number).padStart(3)}  ${result.padEnd(11)}  ${took.padStart(5)} s  ${what}`

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`test:break: ${(error as Error).message}\n`)
  process.exitCode = 1
}
