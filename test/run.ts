/**
 * `npm test [-- FOLDER_OR_FILE...]`: brings the real components that the chosen test files need and runs the compiled
 * files with Node's own test runner. `unit`, `test/unit` and `test/unit/table.test.ts` are all understood; without an
 * argument everything runs. The exit code is the runner's.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bringService, envoyOldest, kafkaOldest } from './services/catalogue.ts'
import { projectRoot } from './support/project.ts'

/** The longest file takes about a minute. One that hangs is ended, and named, instead of holding everything up. */
const fileTimeoutMs = 5 * 60_000

const suites = ['unit', 'conformance', 'integration', 'e2e']

/** What test files, by the beginning of their name, need beside Node; a suite whose component is absent skips itself. */
const needs: Readonly<Record<string, readonly string[]>> = {
  'e2e/': ['envoy'],
  'e2e/fleet-page': ['chromium'],
  'integration/services': ['envoy', envoyOldest],
  'integration/envoy': ['envoy'],
  'integration/choreo-connect': ['redis'],
  'integration/compose': ['envoy'],
  'integration/event-hub': ['rabbitmq'],
  'integration/inbox-kafka': ['kafka'],
  'integration/inbox-redis': ['redis'],
  'conformance/': ['redis'],
  'conformance/event-log-kafka': ['kafka', kafkaOldest],
  'integration/kafka': ['kafka'],
  'integration/redis': ['redis'],
}

/** The test files of this project, such as `unit/table.test`, sorted; compiled leftovers of deleted ones are not among them. */
const allTests = (): string[] =>
  suites
    .flatMap(suite => {
      const folder = join(projectRoot, 'test', suite)
      if (!existsSync(folder)) return []
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(file => `${suite}/${file}`)
    })
    .filter(file => file.endsWith('.test.ts'))
    .map(file => file.slice(0, -'.ts'.length))
    .sort()

/** Those of `tests` that `argument` names. Throws if it names neither a suite nor a test file. */
const select = (tests: readonly string[], argument: string): readonly string[] => {
  const name = argument
    .replace(/^\.\//, '')
    .replace(/^dist\//, '')
    .replace(/^test\//, '')
    .replace(/\/$/, '')
    .replace(/\.[tj]s$/, '')
  const chosen = tests.filter(test => test === name || test === `${name}.test` || test.startsWith(`${name}/`))
  if (chosen.length === 0 && !suites.includes(name))
    throw new Error(
      `no tests are called ${JSON.stringify(argument)}; name a file or one of ${suites.join(', ')}`,
    )
  return chosen
}

const main = async (args: readonly string[]): Promise<number> => {
  const all = allTests()
  const chosen = args.length === 0 ? all : [...new Set(args.flatMap(argument => select(all, argument)))]
  if (chosen.length === 0) throw new Error('there are no such tests')
  const services = Object.entries(needs).flatMap(([start, names]) =>
    chosen.some(test => test.startsWith(start)) ? names : [],
  )
  for (const service of new Set(services)) await bringService(service)

  return runNode(chosen.map(test => join(projectRoot, 'dist', 'test', `${test}.js`)))
}

const runNode = async (files: readonly string[]): Promise<number> => {
  const options = [
    '--test',
    '--test-concurrency=2',
    '--test-reporter=spec',
    `--test-timeout=${fileTimeoutMs}`,
  ]
  const runner = spawn(process.execPath, [...options, ...files], { stdio: 'inherit', cwd: projectRoot })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
  const [code] = await once(runner, 'close')
  return code ?? 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`test: ${(error as Error).message}\n`)
  process.exitCode = 1
}
