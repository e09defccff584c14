/**
 * An adapter in a process of its own, on a generated log, which can be made to grow. The argument is JSON, see
 * {@link AdapterTask}; prints {@link AdapterLine} when it has read the log.
 *
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startAdapter } from '../../adapter/adapter.ts'
import { type Checkpoint, openCheckpoint } from '../../event-log/checkpoint.ts'
import { followLog } from '../../event-log/follow.ts'
import { until } from '../../test/support/condition.ts'
import { clockMs } from '../load/clock.ts'
import { serveControl } from '../load/control.ts'
import { createErrorsOnlyLogger } from '../load/errors-only.ts'
import { collectGarbage } from '../load/memory.ts'
import { tell } from '../load/program.ts'
import { createGeneratedLog, type GeneratedLogOptions } from './generated-log.ts'
import { createResyncing } from './resyncing.ts'

/** What to serve. */
export interface AdapterTask extends GeneratedLogOptions {
  /** For its checkpoint; without it, it keeps none. */
  readonly dataFolder?: string
}

/** What is printed. */
export interface AdapterLine {
  readonly port: number
  readonly controlPort: number
  /** When it had read the log, see `clockMs`. */
  readonly readyAtMs: number
  readonly keys: number
}

/** When revocations were given to the adapter: number i, from 0, at `startMs + (i + 1) / perSecond`, see `clockMs`. */
export interface Fed {
  /** Position of the first. */
  readonly first: number
  readonly count: number
  readonly perSecond: number
  readonly startMs: number
}

/** What it can be told. */
export type AdapterCommands = typeof commands

const streamMaxAgeMs = 24 * 3600 * 1000
const streamsLimit = 100_000
/** For a full state of tens of millions. */
const resyncTimeoutMs = 600_000

const { dataFolder, ...generating }: AdapterTask = JSON.parse(process.argv[2] as string)
const logger = createErrorsOnlyLogger()
const fail = (error: unknown) => {
  logger.fatal({ err: error }, 'the adapter has failed')
  process.exit(1)
}
const generated = createGeneratedLog(generating)
const { log, codec } = generated
const checkpoint: Checkpoint | undefined =
  dataFolder === undefined ? undefined : await openCheckpoint({ folder: dataFolder, codec, onError: fail })
const follower = followLog({
  log,
  codec,
  graceSeconds: 0,
  ...(checkpoint === undefined
    ? {}
    : {
        state: checkpoint.state,
        beforeComplete: checkpoint.flush,
        onApplied: checkpoint.noteApplied,
      }),
  onError: fail,
  onFatal: fail,
})
const resyncing = createResyncing(follower)
const adapter = await startAdapter({
  follower: resyncing.follower,
  address: '127.0.0.1:0',
  toleranceSeconds: 0,
  streamMaxAgeMs,
  streamsLimit,
  logger,
})

/** Gives the adapter what is due by now; what it is given late, because it is busy, counts from when it was due. */
const feed = ({ count, perSecond }: Pick<Fed, 'count' | 'perSecond'>): Promise<Fed> =>
  new Promise(done => {
    const fed: Fed = { first: generated.end + 1, count, perSecond, startMs: clockMs() }
    let given = 0
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((clockMs() - fed.startMs) / 1_000) * perSecond))
      if (due > given) generated.grow(due - given)
      given = due
      if (given < count) return
      clearInterval(timer)
      done(fed)
    }, 1)
  })

const haveAllEverything = (): boolean => {
  const { nodes } = adapter.status()
  return nodes.length > 0 && nodes.every(({ ackedVersion }) => ackedVersion === generated.end)
}

const commands = {
  feed,
  /** Resolves when everybody who is connected then has everything. */
  resync: async ({ rolledBack }: { rolledBack: boolean }) => {
    resyncing.resync(rolledBack)
    // The adapter's own turn, in which its streams notice it, was asked for before this one.
    await nextTurn()
    await until('every enforcer has everything', haveAllEverything, { timeoutMs: resyncTimeoutMs })
    return {}
  },
  collectGarbage: (_: object) => {
    collectGarbage()
    return {}
  },
}

await follower.caughtUp
const line: AdapterLine = {
  port: adapter.port,
  controlPort: await serveControl(commands),
  readyAtMs: clockMs(),
  keys: follower.state.size,
}
tell(line)
