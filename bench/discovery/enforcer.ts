/**
 * An enforcer in a process of its own. The argument is JSON, see {@link EnforcerTask}; prints {@link EnforcerLine} when it
 * is ready.
 *
 * @module
 */
import { Registry } from 'prom-client'
import { startEnforcer } from '../../enforcer/enforcer.ts'
import { until } from '../../test/support/condition.ts'
import { testAudience } from '../../test/support/issuer.ts'
import { createTokenVerifier } from '../../token/verifier.ts'
import { clockMs } from '../load/clock.ts'
import { serveControl } from '../load/control.ts'
import { createErrorsOnlyLogger } from '../load/errors-only.ts'
import { collectGarbage } from '../load/memory.ts'
import { tell } from '../load/program.ts'

/** What to subscribe to. */
export interface EnforcerTask {
  readonly adapterPort: number
  readonly issuer: string
  readonly jwksUri: string
}

/** What is printed; times see `clockMs`. */
export interface EnforcerLine {
  readonly port: number
  readonly controlPort: number
  /** When it began to subscribe, with everything else up. */
  readonly subscribedAtMs: number
  readonly readyAtMs: number
}

/** What it can be told. */
export type EnforcerCommands = typeof commands

const revocationsLimit = 100_000_000

const { adapterPort, issuer, jwksUri }: EnforcerTask = JSON.parse(process.argv[2] as string)
let applied = 0
const logger = createErrorsOnlyLogger(fields => {
  if ((fields as { full?: boolean }).full === true) applied += 1
})
const registry = new Registry()
const verifier = createTokenVerifier({
  issuers: [{ issuer, jwksUri, audiences: [testAudience] }],
  logger,
})
await until('the keys of the issuer are there', () => verifier.ready().reasons.length === 0)

const subscribedAtMs = clockMs()
const enforcer = await startEnforcer({
  address: '127.0.0.1:0',
  adapters: [`127.0.0.1:${adapterPort}`],
  discovery: { protocol: 'delta', readyAfterMs: 0, clockToleranceSeconds: 0, maxTokenLifetimeSeconds: 0 },
  label: 'bench',
  instance: 'bench',
  whenNotReady: 'fail-closed',
  whenStale: 'last-known',
  maxStalenessMs: 60_000,
  drainDelayMs: 0,
  errorStyle: 'wso2',
  tokenCache: { entriesLimit: 100_000, bytesLimit: 128 * 2 ** 20 },
  revocationsLimit,
  verifier,
  registry,
  logger,
})
await enforcer.becameReady
const readyAtMs = clockMs()

const commands = {
  /** How many full states it has applied, with the first. */
  fullStates: (_: object) => ({ applied }),
  /** How many entries its table has. */
  entries: async (_: object) => {
    const metric = await registry.getSingleMetric('rescind_enforcer_table_entries')?.get()
    return { entries: metric?.values[0]?.value ?? 0 }
  },
  collectGarbage: (_: object) => {
    collectGarbage()
    return {}
  },
}
const line: EnforcerLine = {
  port: enforcer.port,
  controlPort: await serveControl(commands),
  subscribedAtMs,
  readyAtMs,
}
tell(line)
