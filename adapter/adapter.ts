/**
 * The adapter: keeps the live state of the log and serves it to enforcers.
 *
 * @module
 */
import type { TextsOnDisk } from '../event-log/checkpoint-texts.ts'
import type { LogEntry } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import type { Applied } from '../revocation/apply-entry.ts'
import type { Logger } from '../runtime/logger.ts'
import { printable } from '../runtime/printable.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { startDiscoveryServer } from './discovery-server.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { createFleetAcks, type VersionQuestion } from './fleet-acks.ts'
import { type FleetAnswer, type FleetStatus, fleetStatusOf } from './fleet-status.ts'

/** What an adapter needs. The follower may be shared with a revoker of the same process. */
export interface AdapterOptions {
  readonly follower: LogFollower
  /** The texts of its revocations; without them streams of Choreo Connect's enforcers are refused. */
  readonly texts?: TextsOnDisk | undefined
  readonly address: string
  /** Clock tolerance that enforcers must keep to, seconds. */
  readonly toleranceSeconds: number
  readonly streamMaxAgeMs: number
  readonly streamsLimit: number
  /** Certificate and key, with authorities for mTLS; undefined: not encrypted. */
  readonly tls?: TlsFiles | undefined
  /** For how long an enforcer that has disconnected is remembered, milliseconds; default 5 minutes. */
  readonly nodesRememberedMs?: number
  readonly logger: Logger
}

/** A running adapter. */
export interface Adapter {
  readonly port: number
  readonly fleet: Fleet
  /** What this adapter serves, and how far each enforcer is. */
  status(): FleetStatus
  /**
   * The same as soon as every enforcer that is connected has a version, or when the time is over or the signal aborts;
   * undefined if too many wait.
   */
  statusAt(question: VersionQuestion, waitMs: number, signal: AbortSignal): Promise<FleetAnswer | undefined>
  ready(): { ready: boolean; reasons: string[] }
  close(): Promise<void>
}

/** The label that Choreo Connect's enforcers use, and ours by default. */
const defaultLabel = 'commonEnforcerLabel'

const defaultRememberedMs = 300_000

/**
 * Starts an adapter.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startAdapter(options: AdapterOptions): Promise<Adapter> {
  const { follower } = options
  const { nodesRememberedMs: rememberedMs = defaultRememberedMs } = options
  const fleet = createFleet({ nodesLimit: options.streamsLimit, rememberedMs })
  const acks = createFleetAcks({ fleet, state: follower.state })
  const server = await startDiscoveryServer({ ...options, fleet })
  const noteVersion = () => fleet.serves(follower.state.position, follower.restarts, performance.now())
  const unsubscribe = follower.subscribe(noteVersion)
  const ready = () =>
    follower.complete ? { ready: true, reasons: [] } : { ready: false, reasons: [whyIncomplete(follower)] }
  let completeAtMs = Number.POSITIVE_INFINITY
  follower.caughtUp.then(() => {
    completeAtMs = performance.now()
  })
  // Who was served before this process began, and does not come back, counts for as long as it would be remembered.
  const settledAtMs = () => (follower.foundNew ? completeAtMs : completeAtMs + rememberedMs)
  const status = () => {
    noteVersion()
    const readiness = ready()
    return fleetStatusOf({
      ...{ fleet, follower, readiness },
      discoveryPort: server.port,
      settledAtMs: settledAtMs(),
    })
  }
  return {
    port: server.port,
    fleet,
    status,
    statusAt: async (question, waitMs, signal) =>
      (await acks.wait(question, waitMs, signal)) ? { ...status(), known: acks.known(question) } : undefined,
    ready,
    close: async () => {
      acks.close()
      unsubscribe()
      await server.close()
    },
  }
}

function whyIncomplete({ state }: LogFollower): string {
  if (state.epoch !== undefined) return 'reading the event log'
  return 'the event log was not reached yet, or nobody has written to it: start a revoker'
}

/**
 * Writes the two lines that people search for, as Choreo Connect's adapter does, when a revocation was read. Whoever
 * revoked chose the text of jti and token type.
 */
export function logRevoked(logger: Logger, { position }: LogEntry, { event, problem }: Applied): void {
  if (problem !== undefined || event.kind !== 'revocation') return
  const { jti } = event.match
  if (jti !== undefined) {
    const [token, type] = [printable(String(jti)), printable(event.tokenType ?? 'JWT')]
    logger.info({ position }, `RevokedToken: ${token}, Token Type: ${type}`)
  }
  logger.info(
    { position },
    `New Revoked token cache update for the label: ${defaultLabel} version: ${position}`,
  )
}
