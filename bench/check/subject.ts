/**
 * The subject: `rescind enforcer` in a process of its own, fed by the adapter of a `rescind all` whose log holds so
 * many revocations.
 *
 * @module
 */
import { type TestIssuer, testAudience } from '../../test/support/issuer.ts'
import { freePort } from '../../test/support/ports.ts'
import { startRescind } from '../../test/support/processes.ts'
import type { Cores } from '../load/cores.ts'

/** A server that answers checks, in a process of its own. */
export interface Subject {
  readonly port: number
  readonly pid: number
  /** How many checks it has allowed so far, by its own metrics; undefined if it has none. */
  allowed(): Promise<number | undefined>
  stop(): Promise<void>
}

/** Reading a log of a million entries takes a while. */
const readyTimeoutMs = 600_000

/** A running `rescind all`, of which only the adapter is used. */
export interface RunningAdapter {
  readonly port: number
  stop(): Promise<void>
}

/** Starts an adapter on a log that is filled, and waits until it has read it. */
export const startAdapter = async (
  issuer: TestIssuer,
  folder: string,
  cores: Cores,
): Promise<RunningAdapter> => {
  const port = await freePort()
  const { pid, stop } = await startRescind(['all'], {
    config: {
      issuers: issuersOf(issuer),
      eventLog: { folder },
      revoker: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' },
      adapter: { address: `127.0.0.1:${port}`, adminAddress: '127.0.0.1:0' },
      enforcer: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', drainDelay: '0s' },
    },
    timeoutMs: readyTimeoutMs,
  })
  await cores.giveLoadCores(pid)
  return { port, stop }
}

/** Starts an enforcer and waits until it is ready, which it is when it holds all that the adapter has. */
export const startEnforcer = async (
  issuer: TestIssuer,
  adapter: RunningAdapter,
  cores: Cores,
): Promise<Subject> => {
  const port = await freePort()
  const adminPort = await freePort()
  const { pid, stop } = await startRescind(['enforcer'], {
    config: {
      issuers: issuersOf(issuer),
      enforcer: {
        address: `127.0.0.1:${port}`,
        adminAddress: `127.0.0.1:${adminPort}`,
        adapters: [`127.0.0.1:${adapter.port}`],
        drainDelay: '0s',
      },
    },
    timeoutMs: readyTimeoutMs,
  })
  await cores.giveServerCore(pid)
  return { port, pid, allowed: () => allowedOf(adminPort), stop }
}

const issuersOf = ({ issuer, jwksUri }: TestIssuer) => [{ issuer, jwksUri, audiences: [testAudience] }]

const allowedOf = async (adminPort: number): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const line = /^rescind_enforcer_checks_total\{outcome="allow",reason="allowed"\} (\d+)$/m.exec(metrics)
  return Number(line?.[1] ?? 0)
}
