/**
 * Measures a revoker on one driver of the event log, in turns with the bare server.
 *
 * @module
 */
import type { BenchmarkOptions } from '../benchmark.ts'
import type { Cores } from '../load/cores.ts'
import { runProgram, startProgram } from '../load/program.ts'
import { startLogServer } from '../log/log-server.ts'
import type { DriverName } from '../log/place.ts'
import { typical, typicalRatio } from '../statistics.ts'
import type { LoadResult, LoadTask } from './load.ts'
import { type StandOptions, startStand } from './stand.ts'

/** What was found of a driver. */
export interface RevokerFigures {
  readonly revocationsPerSecond: number
  readonly bareRequestsPerSecond: number
  readonly ratioToBareServer: number
  readonly revokeP50Ms: number
  readonly revokeP99Ms: number
  readonly confirmedP50Ms: number
  readonly confirmedP99Ms: number
}

/** What is measured with. */
export interface DriverOptions extends Pick<StandOptions, 'mint' | 'folder' | 'cores'> {
  readonly tokensFile: string
}

/** Connections of as many requests as get answered; appends share flushes. */
const connections = 256
const revokePerSecond = 1_000
const confirmPerSecond = 100
/** How much longer requests are sent at each rate than a window of the other parts lasts. */
const windowsAtRate = 5
/** Far more than one core can do in a second. */
const mostPerSecond = 8_000

/** How many tokens a driver needs at most; each token is revoked once. */
export const tokensNeeded = ({ seconds, rounds }: BenchmarkOptions): number =>
  seconds * ((rounds + 1) * mostPerSecond + 2 * windowsAtRate * (revokePerSecond + confirmPerSecond))

/** Measures a driver on a server of its own. */
export const measureDriver = async (
  driver: DriverName,
  options: BenchmarkOptions,
  { tokensFile, ...setting }: DriverOptions,
): Promise<RevokerFigures> => {
  const { seconds, rounds, progress } = options
  const { cores } = setting
  progress(`${driver}: starting its server, revoker, adapter and enforcers`)
  const server = await startLogServer(driver, setting.folder)
  const bare = await startBareServer(cores)
  const stand = await startStand({ place: server.placeOf('revoker'), ...setting })
  let first = 0
  const load = async (task: Omit<LoadTask, 'tokensFile' | 'first'>) => {
    const args = [JSON.stringify({ ...task, tokensFile, first })]
    const result = await runProgram<LoadResult>('revoker/load', { args, place: cores.giveLoadCores })
    if (task.kind !== 'bare') first += task.count
    return result
  }
  const revokeMany = (kind: 'revoke' | 'bare') => {
    const port = kind === 'bare' ? bare.port : stand.revokerPort
    return load({ kind, port, count: seconds * mostPerSecond, connections, seconds })
  }
  const atRate = async (kind: 'revoke' | 'confirm', perSecond: number) => {
    const port = stand.revokerPort
    const window = { kind, port, connections, perSecond }
    const long = { ...window, count: windowsAtRate * seconds * perSecond, seconds: windowsAtRate * seconds }
    // Compilers, caches and connections: what is measured is a revoker that has run for a while.
    await load(long)
    return load(long)
  }
  try {
    const rates: number[] = []
    const bareRates: number[] = []
    progress(`${driver}: as many revocations as get answered, in turns with the bare server`)
    // The first round, from -1, is there to warm up.
    for (let round = -1; round < rounds; round++) {
      const rate = (await revokeMany('revoke')).requestsPerSecond
      const bareRate = (await revokeMany('bare')).requestsPerSecond
      if (round < 0) continue
      rates.push(rate)
      bareRates.push(bareRate)
    }
    progress(`${driver}: ${revokePerSecond} revocations a second`)
    const revoked = await atRate('revoke', revokePerSecond)
    progress(`${driver}: ${confirmPerSecond} confirmed revocations a second`)
    const confirmed = await atRate('confirm', confirmPerSecond)
    return {
      revocationsPerSecond: typical(rates),
      bareRequestsPerSecond: typical(bareRates),
      ratioToBareServer: typicalRatio(rates, bareRates),
      revokeP50Ms: revoked.p50Ms,
      revokeP99Ms: revoked.p99Ms,
      confirmedP50Ms: confirmed.p50Ms,
      confirmedP99Ms: confirmed.p99Ms,
    }
  } finally {
    await stand.stop()
    await bare.stop()
    await server.stop()
  }
}

const startBareServer = async (cores: Cores) => {
  const { child, line } = await startProgram<{ port: number }>('revoker/bare-server', {
    place: cores.giveServerCore,
  })
  return { port: line.port, stop: child.stop }
}
