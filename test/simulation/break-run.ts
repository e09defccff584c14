/**
 * `npm run simulate:break -- [--seeds 2000] [--only N,M]`: breaks rules one by one in a copy of what was built, and sees that
 * the simulation notices, after how many seeds from 1, or from the one that the break names. Exits with 1 if a break was
 * not noticed, or could not be tried.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { broken } from '../break/break.ts'
import { projectRoot } from '../support/project.ts'
import { type RuleBreak, ruleBreaks } from './breaks.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

/** A copy of what was built; nothing of it is checked again. */
function copyBuilt(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-simulate-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(projectRoot, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(projectRoot, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

const { config } = ts.readConfigFile(join(projectRoot, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot)
// A single file does not say by itself that it is an ECMAScript module.
const compilerOptions = { ...options, module: ts.ModuleKind.ESNext }

/** Breaks the copy, simulates, and mends the copy; returns after how many seeds that was noticed. */
function tryBreak(folder: string, seeds: string, each: RuleBreak): string | undefined {
  const source = readFileSync(join(projectRoot, each.file), 'utf8')
  const built = join(folder, 'dist', each.file.replace(/\.ts$/, '.js'))
  const unbroken = readFileSync(built)
  const { outputText } = ts.transpileModule(broken(source, each), { compilerOptions, fileName: each.file })
  writeFileSync(built, outputText)
  try {
    return simulateIn(folder, seeds, each.firstSeed ?? 1)
  } finally {
    writeFileSync(built, unbroken)
  }
}

/** After how many seeds a violation was found, and of what; undefined if none was. */
function simulateIn(folder: string, seeds: string, first: number): string | undefined {
  const program = join(folder, 'dist/test/simulation/run.js')
  try {
    const seedOptions = ['--seeds', seeds, '--seed', String(first)]
    execFileSync(process.execPath, [program, '--json', ...seedOptions], { encoding: 'utf8', stdio: 'pipe' })
    return undefined
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
    const rule = /^FAILED: seed \d+ breaks ([^:]+):/m.exec(stderr)?.[1]
    if (rule === undefined) throw error
    return `${JSON.parse(stdout).seeds}${first === 1 ? '' : ` from ${first}`} (${rule})`
  }
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '2000' }, only: { type: 'string' } },
})
const wanted = values.only?.split(',')
const chosen = ruleBreaks
  .map((each, index) => ({ ...each, number: String(index + 1) }))
  .filter(({ number }) => wanted === undefined || wanted.includes(number))
if (chosen.length === 0) throw new Error(`--only: must be of 1 to ${ruleBreaks.length}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
const folder = copyBuilt()
let missed = 0
for (const each of chosen) {
  const seeds = tryBreak(folder, values.seeds, each)
  if (seeds === undefined) missed += 1
  say(`${each.number.padStart(3)}  ${(seeds ?? 'NOT NOTICED').padEnd(28)}  ${each.rule}: ${each.what}`)
}
say(`${chosen.length - missed} of ${chosen.length} breaks were noticed`)
process.exitCode = missed === 0 ? 0 : 1
