/**
 * The second part: 3,000 requests per second through a real Envoy, and the processor time that each check costs the
 * server that Envoy asks.
 *
 * @module
 */
import {
  type EnvoyConfig,
  type RunningEnvoy,
  startEnvoy,
  waitLongerForChecks,
} from '../../test/support/envoy.ts'
import { freePort } from '../../test/support/ports.ts'
import { cpuSeconds } from '../load/cpu-time.ts'
import type { Load } from '../load/h2load.ts'
import { typical, typicalRatio } from '../statistics.ts'
import type { Setting } from './setting.ts'
import type { Subject } from './subject.ts'

/** What was found. */
export interface EnvoyResult {
  readonly cpuMicrosPerCheck: number
  readonly noopCpuMicrosPerCheck: number
  readonly cpuRatioToNoop: number
  /** What was reached; less than asked for if the machine is too slow. */
  readonly requestsPerSecond: number
  /** Of whole requests, Envoy's own work included. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The rate at which requests arrive. */
export const requestsPerSecond = 3_000

// A few connections that each send at steady intervals: requests arrive one by one, not in bursts that would share work.
const connections = 3
const streamsPerConnection = 100

interface Sample {
  readonly cpuMicrosPerCheck: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Measures the no-op and the full enforcer in turns, each behind an Envoy of its own. */
export const measureThroughEnvoy = async (envoyBinary: string, setting: Setting): Promise<EnvoyResult> => {
  const envoys: RunningEnvoy[] = []
  const start = async (subject: Subject) => {
    const envoy = await startEnvoyBefore(subject, envoyBinary)
    envoys.push(envoy)
    await setting.cores.giveLoadCores(envoy.pid)
    await expectStatus(envoy, setting.goodToken, 200)
    return envoy
  }
  try {
    const noop = await start(setting.noop)
    const enforcer = await start(setting.full)
    await expectStatus(enforcer, setting.revokedToken, 401)
    return await measureBoth(setting, noop, enforcer)
  } finally {
    for (const envoy of envoys) await envoy.stop()
  }
}

const measureBoth = async (
  setting: Setting,
  noopEnvoy: RunningEnvoy,
  enforcerEnvoy: RunningEnvoy,
): Promise<EnvoyResult> => {
  const { rounds, progress } = setting.options
  const noop: Sample[] = []
  const enforcer: Sample[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`through Envoy, round ${round} of ${rounds}: grpc-js no-op`)
    noop.push(await measureOne(setting, noopEnvoy, setting.noop))
    progress(`through Envoy, round ${round} of ${rounds}: enforcer`)
    enforcer.push(await measureOne(setting, enforcerEnvoy, setting.full))
  }
  const of = (samples: readonly Sample[], field: keyof Sample) => samples.map(sample => sample[field])
  return {
    cpuMicrosPerCheck: typical(of(enforcer, 'cpuMicrosPerCheck')),
    noopCpuMicrosPerCheck: typical(of(noop, 'cpuMicrosPerCheck')),
    cpuRatioToNoop: typicalRatio(of(enforcer, 'cpuMicrosPerCheck'), of(noop, 'cpuMicrosPerCheck')),
    requestsPerSecond: typical(of(enforcer, 'requestsPerSecond')),
    p50Ms: typical(of(enforcer, 'p50Ms')),
    p99Ms: typical(of(enforcer, 'p99Ms')),
  }
}

const measureOne = async (setting: Setting, envoy: RunningEnvoy, { pid }: Subject): Promise<Sample> => {
  const load: Load = {
    url: urlOf(envoy),
    headers: [`authorization: Bearer ${setting.goodToken}`],
    connections,
    streamsPerConnection,
    requestsPerSecond,
    lasts: { seconds: setting.options.seconds },
  }
  const before = { cpu: cpuSeconds(pid), checks: await checksOf(envoy) }
  const result = await setting.generate(load)
  const checks = (await checksOf(envoy)) - before.checks
  if (checks < result.requests) throw new Error(`${result.requests} requests, but only ${checks} checks`)
  return { ...result, cpuMicrosPerCheck: ((cpuSeconds(pid) - before.cpu) * 1e6) / checks }
}

const startEnvoyBefore = async (subject: Subject, binary: string): Promise<RunningEnvoy> =>
  startEnvoy({
    binary,
    enforcerPort: subject.port,
    // Nobody listens there: Envoy answers what may pass by itself.
    upstreamPort: await freePort(),
    edit: config => {
      waitLongerForChecks(config)
      waitLongerForTries(config)
      answerDirectly(config)
    },
  })

/**
 * Envoy gives each try of a gRPC call with a retry policy the longest back-off as its time limit; a server that is
 * slower for a moment would get every check several times.
 */
const waitLongerForTries = (config: EnvoyConfig): void => {
  const extAuthz = managerOf(config).http_filters.find((filter: EnvoyConfig) =>
    filter.name.endsWith('ext_authz'),
  )
  extAuthz.typed_config.grpc_service.retry_policy.retry_back_off.max_interval = '5s'
}

const answerDirectly = (config: EnvoyConfig): void => {
  const [host] = managerOf(config).route_config.virtual_hosts
  host.routes = [{ match: { prefix: '/' }, direct_response: { status: 200 } }]
}

const managerOf = (config: EnvoyConfig): EnvoyConfig => {
  const [{ filters }] = config.static_resources.listeners[0].filter_chains
  return filters[0].typed_config
}

const urlOf = (envoy: RunningEnvoy): string => `http://127.0.0.1:${envoy.port}/orders/1234`

const expectStatus = async (envoy: RunningEnvoy, token: string, status: number): Promise<void> => {
  const response = await fetch(urlOf(envoy), { headers: { authorization: `Bearer ${token}` } })
  if (response.status !== status)
    throw new Error(`Envoy answered ${response.status} instead of ${status}: ${await response.text()}`)
}

/** Checks that were answered with OK, as Envoy counts them. */
const checksOf = async ({ adminPort }: RunningEnvoy): Promise<number> => {
  const stats = await fetch(`http://127.0.0.1:${adminPort}/stats?filter=ext_authz.ok$`)
  const line = /ext_authz\.ok: (\d+)/.exec(await stats.text())
  return Number(line?.[1] ?? 0)
}
