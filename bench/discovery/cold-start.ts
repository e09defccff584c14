/**
 * How long an enforcer that holds nothing needs until it is ready, in turns with a bare stream of as many bytes.
 *
 * @module
 */
import { packedEntryBytes } from '../../revocation/entries.ts'
import { runProgram, startProgram } from '../load/program.ts'
import { count } from '../report.ts'
import { typical, typicalRatio } from '../statistics.ts'
import type { BareLine } from './bare-receiver.ts'
import type { BareTask } from './bare-sender.ts'
import { type RunningAdapter, type Setting, withEnforcer } from './setting.ts'

/** What was found. */
export interface ColdStart {
  /** From subscribing until ready. */
  readonly seconds: number
  /** From starting the process. */
  readonly withProcessSeconds: number
  readonly bareStreamSeconds: number
  readonly ratioToBareStream: number
}

const batchBytes = 2 ** 20

/** Measures enforcers, each a new process, at an adapter that serves nobody else. */
export const measureColdStart = async (setting: Setting, adapter: RunningAdapter): Promise<ColdStart> => {
  const { rounds, progress } = setting.options
  const seconds: number[] = []
  const withProcessSeconds: number[] = []
  const bareSeconds: number[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`cold start with ${count(adapter.entries)}, round ${round} of ${rounds}`)
    bareSeconds.push(await measureBareStream(setting, adapter.entries * packedEntryBytes))
    await withEnforcer(setting, adapter, enforcer => {
      seconds.push(enforcer.coldStartSeconds)
      withProcessSeconds.push(enforcer.withProcessSeconds)
    })
  }
  return {
    seconds: typical(seconds),
    withProcessSeconds: typical(withProcessSeconds),
    bareStreamSeconds: typical(bareSeconds),
    ratioToBareStream: typicalRatio(seconds, bareSeconds),
  }
}

const measureBareStream = async ({ cores }: Setting, bytes: number): Promise<number> => {
  const messages = Math.ceil(bytes / batchBytes)
  const task: BareTask = { messages, messageBytes: Math.ceil(bytes / messages) }
  const sender = await startProgram<{ port: number }>('discovery/bare-sender', {
    args: [JSON.stringify(task)],
    place: cores.giveLoadCores,
  })
  try {
    const received = await runProgram<BareLine>('discovery/bare-receiver', {
      args: [String(sender.line.port)],
      place: cores.giveServerCore,
    })
    if (received.bytes < bytes) throw new Error(`the bare stream carried ${received.bytes} bytes of ${bytes}`)
    return received.seconds
  } finally {
    await sender.child.stop()
  }
}
