/**
 * The server that the log is in.
 *
 * @module
 */
import { startKafka } from '../support/kafka.ts'
import { startRedis } from '../support/redis.ts'
import { createVictim, type Victim } from './victim.ts'

/** The drivers. */
export const logNames = ['redis', 'kafka', 'embedded'] as const

/** Which driver. */
export type LogName = (typeof logNames)[number]

/** A running server. */
export interface LogServer {
  /** The section `eventLog` of who uses it. */
  readonly config: object
  readonly victim: Victim
  stop(): Promise<void>
}

/** Starts a server that keeps what it has acknowledged. For `over` see `VictimOptions` in victim.ts. */
export async function startLogServer(
  log: Exclude<LogName, 'embedded'>,
  over: AbortSignal,
): Promise<LogServer> {
  const server = log === 'redis' ? await startRedis({ persistence: 'always' }) : await startKafka()
  const config =
    'url' in server
      ? { driver: log, redis: { url: server.url } }
      : { driver: log, kafka: { brokers: [...server.brokers] } }
  const kill = () => server.kill('SIGKILL')
  const victim = createVictim({ name: log, kind: 'log', kill, start: server.startAgain, over })
  return { config, victim, stop: server.stop }
}
