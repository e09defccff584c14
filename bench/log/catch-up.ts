/**
 * Reads a log from its start to its end in a process that has just begun, and prints how long that took: as an adapter
 * does, or with the bare client library. The argument is JSON, see {@link CatchUpTask}.
 *
 * @module
 */
import { followLog } from '../../event-log/follow.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import { tell } from '../load/program.ts'
import { openBareClient } from './bare/open-bare-client.ts'
import { type LogPlace, openLogAt } from './place.ts'

/** What to read, and how. */
export interface CatchUpTask {
  readonly place: LogPlace
  readonly reader: 'follower' | 'bare'
  /** How many keys are live at the end. */
  readonly keys: number
}

/** What is printed. */
export interface CatchUpResult {
  /** From opening the log until everything was applied. */
  readonly seconds: number
  readonly cpuSeconds: number
  /** What the process holds at the end. */
  readonly residentMb: number
}

const follow = async ({ place, keys }: CatchUpTask): Promise<void> => {
  const log = await openLogAt(place, { writes: false })
  const state = await new Promise<LiveState>((done, fail) => {
    const options = { log, codec: createEventCodec(), graceSeconds: 0, onError: fail, onFatal: fail }
    const follower = followLog(options)
    follower.caughtUp.then(() => done(follower.state))
  })
  if (state.size !== keys) throw new Error(`${state.size} keys are live where ${keys} were appended`)
}

const readBare = async ({ place }: CatchUpTask): Promise<void> => {
  const client = await openBareClient(place)
  if ((await client.readAll()) === 0) throw new Error('the bare client read nothing')
}

const task: CatchUpTask = JSON.parse(process.argv[2] as string)
const startMs = performance.now()
await (task.reader === 'follower' ? follow(task) : readBare(task))
const result: CatchUpResult = {
  seconds: (performance.now() - startMs) / 1_000,
  cpuSeconds: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  residentMb: process.memoryUsage.rss() / 2 ** 20,
}
tell(result)
