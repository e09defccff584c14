/**
 * Everything that runs while checks are measured: an issuer, enforcers with few and with many revocations, and the
 * no-op that they are compared with. Started and stopped together.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestIssuer, type TestIssuer } from '../../test/support/issuer.ts'
import type { BenchmarkOptions } from '../benchmark.ts'
import { type Cores, createCores } from '../load/cores.ts'
import { createLoadGenerator, type LoadGenerator } from '../load/h2load.ts'
import { startProgram } from '../load/program.ts'
import { createCheckRequests, createToken } from './request.ts'
import { fillLog } from './revocations.ts'
import { type Subject, startAdapter, startEnforcer } from './subject.ts'

/** What the parts of the benchmark measure with. */
export interface Setting {
  readonly options: BenchmarkOptions
  readonly folder: string
  readonly cores: Cores
  readonly generate: LoadGenerator
  readonly issuer: TestIssuer
  /** The token that is asked about, and one that was revoked. */
  readonly goodToken: string
  readonly revokedToken: string
  /** CheckRequests with them. */
  readonly good: Buffer
  readonly revoked: Buffer
  readonly noop: Subject
  /** An enforcer that knows of the revoked token only. */
  readonly empty: Subject
  /** An enforcer with a million revocations beside that. */
  readonly full: Subject
}

/** How many revocations the full enforcer holds beside the control token's. */
export const manyRevocations = 1_000_000

/** Starts everything, lets it be measured, and stops everything. */
export const withSetting = async <Result>(
  h2load: string,
  options: BenchmarkOptions,
  measure: (setting: Setting) => Promise<Result>,
): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-bench-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const started: { stop(): Promise<unknown> }[] = []
  const keep = <Part extends { stop(): Promise<unknown> }>(part: Part): Part => {
    started.push(part)
    return part
  }
  try {
    return await measure(await start(h2load, options, folder, keep))
  } finally {
    for (const part of started.reverse()) await part.stop()
    process.off('exit', removeFolder)
    removeFolder()
  }
}

type Keep = <Part extends { stop(): Promise<unknown> }>(part: Part) => Part

const start = async (
  h2load: string,
  options: BenchmarkOptions,
  folder: string,
  keep: Keep,
): Promise<Setting> => {
  const cores = createCores()
  if (!cores.pinned) options.progress('nothing is pinned to a core: that needs taskset and two cores')
  const issuer = keep(await createTestIssuer())
  const goodToken = await createToken(issuer, 'good')
  const revokedToken = await createToken(issuer, 'revoked')
  const startAdapterWith = async (name: string, count: number) => {
    const logFolder = join(folder, name)
    options.progress(`filling an event log: ${(count + 1).toLocaleString('en-US')} revocation(s)`)
    await fillLog(logFolder, issuer.issuer, revokedToken.jti, count)
    options.progress('starting an adapter on it')
    return keep(await startAdapter(issuer, logFolder, cores))
  }
  const one = await startAdapterWith('one', 0)
  const many = await startAdapterWith('many', manyRevocations)
  // Shortly after one another and before the load: a server that idles is slower after that (V8 shrinks its heap).
  options.progress('starting the enforcers and the no-op')
  const full = keep(await startEnforcer(issuer, many, cores))
  const empty = keep(await startEnforcer(issuer, one, cores))
  const noop = keep(await startNoop(cores))
  const requestOf = createCheckRequests()
  return {
    options,
    folder,
    cores,
    generate: createLoadGenerator(h2load, folder, cores),
    issuer,
    goodToken: goodToken.text,
    revokedToken: revokedToken.text,
    good: requestOf(goodToken.text),
    revoked: requestOf(revokedToken.text),
    noop,
    empty,
    full,
  }
}

const startNoop = async (cores: Cores): Promise<Subject> => {
  const { child, line } = await startProgram<{ port: number }>('check/noop-server', {
    place: cores.giveServerCore,
  })
  return { port: line.port, pid: child.pid, allowed: async () => undefined, stop: child.stop }
}
