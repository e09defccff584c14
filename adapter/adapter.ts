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
import { startDiscoveryServer } from './discovery-server.ts'
import { createFleet, type Fleet } from './fleet.ts'

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
  readonly logger: Logger
}

/** A running adapter. */
export interface Adapter {
  readonly port: number
  readonly fleet: Fleet
  ready(): { ready: boolean; reasons: string[] }
  close(): Promise<void>
}

/** The label that Choreo Connect's enforcers use, and ours by default. */
const defaultLabel = 'commonEnforcerLabel'

/**
 * Starts an adapter.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startAdapter(options: AdapterOptions): Promise<Adapter> {
  const { follower } = options
  const fleet = createFleet()
  const server = await startDiscoveryServer({ ...options, fleet })
  return {
    port: server.port,
    fleet,
    ready: () =>
      follower.complete ? { ready: true, reasons: [] } : { ready: false, reasons: [whyIncomplete(follower)] },
    close: () => server.close(),
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
