/**
 * What the parts of the benchmark share: an issuer, cores, a folder, and how adapter and enforcer are started, each in a
 * process of its own.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestIssuer, type TestIssuer } from '../../test/support/issuer.ts'
import type { BenchmarkOptions } from '../benchmark.ts'
import { clockMs } from '../load/clock.ts'
import { type Control, createControl } from '../load/control.ts'
import { type Cores, createCores } from '../load/cores.ts'
import { startProgram } from '../load/program.ts'
import { count } from '../report.ts'
import type { AdapterCommands, AdapterLine, AdapterTask } from './adapter.ts'
import type { EnforcerCommands, EnforcerLine, EnforcerTask } from './enforcer.ts'

/** See the module. */
export interface Setting {
  readonly options: BenchmarkOptions
  readonly folder: string
  readonly cores: Cores
  readonly issuer: TestIssuer
}

/** Starts what is shared, lets it be used, and stops it. */
export const withSetting = async <Result>(
  options: BenchmarkOptions,
  use: (setting: Setting) => Promise<Result>,
): Promise<Result> => {
  const cores = createCores()
  if (!cores.pinned) options.progress('nothing is pinned to a core: that needs taskset and two cores')
  const folder = mkdtempSync(join(tmpdir(), 'rescind-bench-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const issuer = await createTestIssuer()
  try {
    return await use({ options, folder, cores, issuer })
  } finally {
    await issuer.stop()
    process.off('exit', removeFolder)
    removeFolder()
  }
}

/** An adapter that has read its log. */
export interface RunningAdapter {
  readonly pid: number
  readonly port: number
  /** How many revocations its log had at first. */
  readonly entries: number
  /** From starting the process until it had read the log. */
  readonly startSeconds: number
  readonly tell: Control<AdapterCommands>
  stop(): Promise<void>
}

/** How an adapter is started. */
export interface AdapterOptions {
  readonly entries: number
  /** For its checkpoint. */
  readonly dataFolder?: string
  /** When everything in its log was revoked, seconds; default now. A checkpoint belongs to one such time. */
  readonly revokedAt?: number
}

/** Starts an adapter on a generated log. Throws unless it holds all of it. */
export const startAdapter = async (setting: Setting, options: AdapterOptions): Promise<RunningAdapter> => {
  const { revokedAt = Math.floor(Date.now() / 1_000), entries } = options
  const task: AdapterTask = { issuer: setting.issuer.issuer, ...options, revokedAt }
  const startMs = clockMs()
  const { child, line } = await startProgram<AdapterLine>('discovery/adapter', {
    args: [JSON.stringify(task)],
    place: setting.cores.giveLoadCores,
  })
  if (line.keys !== entries) throw new Error(`the adapter holds ${line.keys} keys of ${entries}`)
  return {
    pid: child.pid,
    port: line.port,
    entries,
    startSeconds: (line.readyAtMs - startMs) / 1_000,
    tell: createControl(line.controlPort, child),
    stop: child.stop,
  }
}

/** Starts an adapter, lets it be used, and stops it. */
export const withAdapter = async <Result>(
  setting: Setting,
  options: AdapterOptions,
  use: (adapter: RunningAdapter) => Promise<Result>,
): Promise<Result> => {
  setting.options.progress(`an adapter reads ${count(options.entries)} revocations`)
  const adapter = await startAdapter(setting, options)
  try {
    return await use(adapter)
  } finally {
    await adapter.stop()
  }
}

/** An enforcer that is ready. */
export interface RunningEnforcer {
  readonly pid: number
  readonly port: number
  /** From subscribing until it was ready. */
  readonly coldStartSeconds: number
  /** The same from starting the process. */
  readonly withProcessSeconds: number
  readonly tell: Control<EnforcerCommands>
}

/** Starts an enforcer, lets it be used, and stops it. Throws unless it holds all that the adapter does. */
export const withEnforcer = async <Result>(
  { issuer, cores }: Setting,
  adapter: RunningAdapter,
  use: (enforcer: RunningEnforcer) => Result | Promise<Result>,
): Promise<Result> => {
  const task: EnforcerTask = {
    adapterPort: adapter.port,
    issuer: issuer.issuer,
    jwksUri: issuer.jwksUri,
  }
  const startMs = clockMs()
  const { child, line } = await startProgram<EnforcerLine>('discovery/enforcer', {
    args: [JSON.stringify(task)],
    place: cores.giveServerCore,
  })
  const enforcer: RunningEnforcer = {
    pid: child.pid,
    port: line.port,
    coldStartSeconds: (line.readyAtMs - line.subscribedAtMs) / 1_000,
    withProcessSeconds: (line.readyAtMs - startMs) / 1_000,
    tell: createControl(line.controlPort, child),
  }
  try {
    await expectEntries(enforcer, adapter.entries)
    return await use(enforcer)
  } finally {
    await child.stop()
  }
}

/** Throws unless the enforcer's table has so many entries. */
export const expectEntries = async ({ tell }: RunningEnforcer, entries: number): Promise<void> => {
  const held = (await tell('entries', {})).entries
  if (held !== entries) throw new Error(`the enforcer holds ${held} entries of ${entries}`)
}
