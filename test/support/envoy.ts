/**
 * Starts a real Envoy on envoy/envoy.yaml itself, with other ports, on loopback.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { findService } from '../services/catalogue.ts'
import { startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'
import { projectRoot } from './project.ts'

/** envoy/envoy.yaml as plain data, to be changed in place. */
// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration has no types here; Envoy itself validates it.
export type EnvoyConfig = any

/** What an Envoy for a test or the demo is to look like. */
export interface EnvoyOptions {
  /** The port of the enforcer's ext_authz service on 127.0.0.1. */
  readonly enforcerPort: number
  /** The port of the API on 127.0.0.1, which must speak HTTP/1.1, and HTTP/2 for gRPC. */
  readonly upstreamPort: number
  /** Where Envoy listens; a free port if not given. */
  readonly port?: number
  /** The port of Envoy's admin interface; a free one if not given. */
  readonly adminPort?: number
  /** The path of the Envoy to run; otherwise that of `findService('envoy')`. */
  readonly binary?: string
  /** Envoy's log level; `warning` if not given. */
  readonly logLevel?: string
  /** Further changes to the configuration. */
  edit?(config: EnvoyConfig): void
}

/** A running Envoy, listening on 127.0.0.1. */
export interface RunningEnvoy {
  readonly port: number
  readonly adminPort: number
  readonly pid: number
  /** What it wrote to stdout and stderr so far. */
  output(): string
  stop(): Promise<void>
}

/** Starts Envoy and waits until it is live. Throws with its output if it does not get there. */
export const startEnvoy = async (options: EnvoyOptions): Promise<RunningEnvoy> => {
  const binary = options.binary ?? findService('envoy')
  if (binary === undefined) throw new Error('envoy is missing here: npm run services -- envoy')
  const port = options.port ?? (await freePort())
  const adminPort = options.adminPort ?? (await freePort())
  const config = envoyConfig({ ...options, port, adminPort })
  options.edit?.(config)
  const folder = mkdtempSync(join(tmpdir(), 'rescind-envoy-'))
  const file = join(folder, 'envoy.yaml')
  writeFileSync(file, stringify(config))
  const args = ['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '--log-level']
  const child = await startChild(binary, [...args, options.logLevel ?? 'warning'])
  const stop = async (): Promise<void> => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await until(
      'Envoy is live',
      async () => (await (await fetch(`http://127.0.0.1:${adminPort}/ready`)).text()).startsWith('LIVE'),
      { giveUp: () => (child.exitCode === undefined ? undefined : `it ended with ${child.exitCode}`) },
    )
  } catch (error) {
    await stop()
    throw new Error(`${(error as Error).message}\n${child.output()}`, { cause: error })
  }
  return { port, adminPort, pid: child.pid, output: child.output, stop }
}

/** envoy/envoy.yaml with these ports, and its listener on 127.0.0.1 instead of all interfaces. */
export const envoyConfig = (ports: {
  enforcerPort: number
  upstreamPort: number
  port: number
  adminPort: number
}): EnvoyConfig => {
  const config: EnvoyConfig = parse(readFileSync(join(projectRoot, 'envoy', 'envoy.yaml'), 'utf8'))
  config.admin.address.socket_address.port_value = ports.adminPort
  config.static_resources.listeners[0].address.socket_address = {
    address: '127.0.0.1',
    port_value: ports.port,
  }
  endpointOf(clusterOf(config, 'enforcer')).port_value = ports.enforcerPort
  for (const name of ['api', 'api-grpc']) endpointOf(clusterOf(config, name)).port_value = ports.upstreamPort
  return config
}

/** The first endpoint's `{address, port_value}` of a cluster of envoy/envoy.yaml. */
export const endpointOf = (cluster: EnvoyConfig): { address: string; port_value: number } =>
  cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address

/**
 * Gives a check 5 s instead of 250 ms: for tests that are not about that limit, on machines that are busy. To be used
 * as, or in, `edit`.
 */
export const waitLongerForChecks = (config: EnvoyConfig): void => {
  const [{ filters }] = config.static_resources.listeners[0].filter_chains
  const isExtAuthz = (filter: EnvoyConfig): boolean => filter.name === 'envoy.filters.http.ext_authz'
  const { grpc_service } = filters[0].typed_config.http_filters.find(isExtAuthz).typed_config
  grpc_service.timeout = '5s'
  // Envoy takes this for the time limit of each try as well.
  grpc_service.retry_policy.retry_back_off.max_interval = '5s'
}

/** The cluster called `name` in the configuration. Throws if there is none. */
export const clusterOf = (config: EnvoyConfig, name: string): EnvoyConfig => {
  const cluster = config.static_resources.clusters.find((each: EnvoyConfig) => each.name === name)
  if (cluster === undefined) throw new Error(`envoy/envoy.yaml has no cluster ${name}`)
  return cluster
}
