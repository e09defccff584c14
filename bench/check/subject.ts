/**
 * The subject: `rescind enforcer` in a process of its own, fed by the adapter of a `rescind all` whose log holds so
 * many revocations.
 *
 * @module
 */

import { type TestIssuer, testAudience } from '../../test/support/issuer.ts'
import { freePort } from '../../test/support/ports.ts'
import { type RescindProcess, startRescind } from '../../test/support/processes.ts'
import type { Cores } from '../load/cores.ts'

/** What it is to hold. */
export interface SubjectOptions {
  readonly issuer: TestIssuer
  /** The folder of a log that is filled. */
  readonly folder: string
  readonly cores: Cores
}

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

/** Starts both and waits until the enforcer is ready, which it is when it holds all. */
export const startSubject = async (options: SubjectOptions): Promise<Subject> => {
  const { issuer, cores } = options
  const ports = { adapter: await freePort(), enforcer: await freePort(), admin: await freePort() }
  const issuers = [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [testAudience] }]
  const adapter = await startRescind(['all'], {
    config: {
      issuers,
      eventLog: { folder: options.folder },
      revoker: { address: '127.0.0.1:0' },
      adapter: { address: `127.0.0.1:${ports.adapter}`, adminAddress: '127.0.0.1:0' },
      enforcer: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', drainDelay: '0s' },
    },
    timeoutMs: readyTimeoutMs,
  })
  await cores.giveLoadCores(adapter.pid)
  const enforcer = await startEnforcer(issuers, ports, adapter)
  await cores.giveServerCore(enforcer.pid)
  return {
    port: ports.enforcer,
    pid: enforcer.pid,
    allowed: () => allowedOf(ports.admin),
    stop: async () => {
      await enforcer.stop()
      await adapter.stop()
    },
  }
}

const startEnforcer = async (
  issuers: readonly object[],
  ports: { readonly adapter: number; readonly enforcer: number; readonly admin: number },
  adapter: RescindProcess,
): Promise<RescindProcess> => {
  try {
    return await startRescind(['enforcer'], {
      config: {
        issuers,
        enforcer: {
          address: `127.0.0.1:${ports.enforcer}`,
          adminAddress: `127.0.0.1:${ports.admin}`,
          adapters: [`127.0.0.1:${ports.adapter}`],
          drainDelay: '0s',
        },
      },
      timeoutMs: readyTimeoutMs,
    })
  } catch (error) {
    await adapter.stop()
    throw error
  }
}

const allowedOf = async (adminPort: number): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const line = /^rescind_enforcer_checks_total\{outcome="allow",[^}]*\} (\d+)$/m.exec(metrics)
  return Number(line?.[1] ?? 0)
}
