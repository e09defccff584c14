/**
 * A process's way to the servers of its log: questions and answers that take time, wait, or are lost.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import type { LogCluster, LogConnection } from './log-cluster.ts'
import type { LogServer } from './log-server.ts'
import type { Network } from './network.ts'
import type { Process, World } from './world.ts'

/** What can go wrong on the way. */
export interface LogFaults {
  /** How often an answer is lost, with its connection. */
  lostAnswers: number
}

/** Asks the server that this process is connected to. */
export interface LogLink {
  /** Counts connections: what was asked before and after it has grown may be of two servers. */
  readonly connections: number
  /**
   * Lets a server do something and tells what came of it.
   *
   * @throws RescindError ERR_LOG_UNREACHABLE if nothing was stored; ERR_LOG_TIMEOUT for a write of which that is unknown;
   *   whatever `question` throws.
   */
  ask<Answer>(question: (server: LogServer) => Answer, kind?: 'read' | 'write'): Promise<Answer>
  /** Resolves when something may be new, after a while, or when the signal aborts. */
  news(signal: AbortSignal): Promise<void>
}

/** What links need. */
export interface LogLinkOptions {
  readonly world: World
  readonly network: Network
  readonly cluster: LogCluster
  readonly process: Process
  readonly faults: LogFaults
}

const answerLimitMs = 3_000
const newsLimitMs = 2_000
const refusedMs = 5

/** Creates a link; it connects at the first question and whenever the connection was lost. */
export function createLogLink({ world, network, cluster, process, faults }: LogLinkOptions): LogLink {
  const { scheduler, dice } = world
  const { clock } = process
  const me = process.machine.name
  const isLocal = cluster.kind === 'embedded'
  let connection: LogConnection | undefined
  let connections = 0

  const connected = (): LogConnection | undefined => {
    if (connection?.isOpen) return connection
    if (!isLocal && network.isCut(me, 'log')) return undefined
    connection = cluster.connect()
    if (connection !== undefined) connections += 1
    return connection
  }
  const carry = (from: string, to: string, arrive: () => void) => {
    if (isLocal) scheduler.after(dice.between(0.1, 2), arrive)
    else network.carry(from, to, arrive)
  }

  return {
    get connections() {
      return connections
    },
    ask: <Answer>(question: (server: LogServer) => Answer, kind: 'read' | 'write' = 'read') =>
      new Promise<Answer>((done, fail) => {
        const used = connected()
        if (used === undefined) {
          clock.after(refusedMs, () => fail(unreachable()))
          return
        }
        const settle = (how: () => void) => {
          stopTimer()
          used.pending.delete(lost)
          process.run(how)
        }
        const unknown = () => fail(kind === 'write' ? timedOut() : unreachable())
        const lost = () => clock.after(refusedMs, () => settle(unknown))
        const stopTimer = clock.after(answerLimitMs, () => settle(unknown))
        used.pending.add(lost)
        carry(me, 'log', () => {
          if (!used.isOpen || !used.server.isUp) return
          const how = tryTo(() => question(used.server), done, fail)
          if (dice.chance(faults.lostAnswers)) used.close()
          else carry('log', me, () => settle(how))
        })
      }),
    news: signal =>
      new Promise(done => {
        if (signal.aborted) return done()
        const stop = () => {
          stopTimer()
          stopListening()
          signal.removeEventListener('abort', stop)
          done()
        }
        const stopTimer = clock.after(newsLimitMs * dice.between(0.5, 1.5), stop)
        const stopListening = cluster.onChange(() => carry('log', me, () => process.run(stop)))
        signal.addEventListener('abort', stop, { once: true })
      }),
  }
}

function tryTo<Answer>(
  question: () => Answer,
  done: (answer: Answer) => void,
  fail: (error: unknown) => void,
): () => void {
  try {
    const answer = question()
    return () => done(answer)
  } catch (error) {
    return () => fail(error)
  }
}

const unreachable = () => new RescindError('ERR_LOG_UNREACHABLE', 'the log does not answer')
const timedOut = () => new RescindError('ERR_LOG_TIMEOUT', 'it may have been stored')
