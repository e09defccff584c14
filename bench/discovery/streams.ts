/**
 * What a revocation costs an adapter that streams it to many enforcers, and how soon it arrives: 1,000 a second, the
 * adapter alone on a core.
 *
 * @module
 */
import { createControl } from '../load/control.ts'
import { cpuSeconds } from '../load/cpu-time.ts'
import { startProgram } from '../load/program.ts'
import { count } from '../report.ts'
import type { Fed } from './adapter.ts'
import type { FleetCommands, FleetLine, FleetTask, Lags, Traffic } from './fleet.ts'
import type { RunningAdapter, Setting } from './setting.ts'

/** What was found. */
export interface Streaming {
  readonly streams: number
  /** Both ways, for each revocation and stream. */
  readonly wireBytesPerRevocation: number
  /** Of the adapter, for each revocation and stream. */
  readonly cpuMicrosPerRevocation: number
  /** Share of its core that the adapter needed. */
  readonly cpuShare: number
  /** Revocations in a message. */
  readonly revocationsPerMessage: number
  readonly lags: Lags
}

/** The rate at which revocations come. */
export const revocationsPerSecond = 1_000

const warmUpSeconds = 5
/** Longer than other windows, for 99 % to mean something. */
const windowsPerRun = 5

/** A fleet of enforcers in a process of its own, and the adapter's process, at some moment. */
interface Moment {
  readonly cpuSeconds: number
  readonly traffic: Traffic
}

/** Measures so many streams; what is fed stays in the adapter's log. */
export const measureStreams = async (
  setting: Setting,
  adapter: RunningAdapter,
  streams: number,
): Promise<Streaming> => {
  const { options, cores } = setting
  options.progress(`${count(streams)} streams at ${count(revocationsPerSecond)} revocations a second`)
  const { first: version } = await feed(adapter, 1)
  const task: FleetTask = { adapterPort: adapter.port, streams, version }
  await cores.giveServerCore(adapter.pid)
  const { child, line } = await startProgram<FleetLine>('discovery/fleet', {
    args: [JSON.stringify(task)],
    place: cores.giveLoadCores,
  })
  const fleet = createControl<FleetCommands>(line.controlPort, child)
  const now = async (): Promise<Moment> => ({
    cpuSeconds: cpuSeconds(adapter.pid),
    traffic: await fleet('traffic', {}),
  })
  const feedAndWait = async (seconds: number): Promise<Fed> => {
    const fed = await feed(adapter, seconds * revocationsPerSecond)
    await fleet('reached', { version: fed.first + fed.count - 1 })
    return fed
  }
  try {
    await feedAndWait(warmUpSeconds)
    const before = await now()
    const fed = await feedAndWait(options.seconds * windowsPerRun)
    const after = await now()
    return summaryOf(streams, fed, [before, after], await fleet('lags', fed))
  } finally {
    await child.stop()
    await cores.giveLoadCores(adapter.pid)
  }
}

const feed = ({ tell }: RunningAdapter, revocations: number): Promise<Fed> =>
  tell('feed', { count: revocations, perSecond: revocationsPerSecond })

const summaryOf = (
  streams: number,
  fed: Fed,
  [before, after]: readonly [Moment, Moment],
  lags: Lags,
): Streaming => {
  const received = streams * fed.count
  const entries = after.traffic.entries - before.traffic.entries
  if (entries !== received) throw new Error(`${entries} entries arrived where ${received} were to be sent`)
  const seconds = after.cpuSeconds - before.cpuSeconds
  return {
    streams,
    wireBytesPerRevocation: (after.traffic.bytes - before.traffic.bytes) / received,
    cpuMicrosPerRevocation: (seconds * 1e6) / received,
    cpuShare: (seconds * fed.perSecond) / fed.count,
    revocationsPerMessage: received / (after.traffic.messages - before.traffic.messages),
    lags,
  }
}
