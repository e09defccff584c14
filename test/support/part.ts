/**
 * A part of the product as a process that can end and be started again, with what it logged over all its lives.
 *
 * @module
 */
import { type LogLine, type RescindOptions, type RescindProcess, startRescind } from './processes.ts'

/** How a part is run; see `startRescind`. */
export type PartOptions = Pick<RescindOptions, 'config'>

/** A part of the product. */
export interface Part {
  /** The lines of its log with this text, of all its lives. */
  said(text: string): readonly LogLine[]
  /** Stops it where it is, or lets it go on. */
  freeze(isFrozen: boolean): void
  /** Ends it; harmless when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again after it has ended, and waits until it is ready, or for the line that `ready` names. */
  startAgain(ready?: RescindOptions['ready']): Promise<void>
}

/** Several start at the same time, on machines that have other things to do. */
const startTimeoutMs = 60_000

/** Starts `rescind ROLE`. */
export async function startPart(role: string, { config }: PartOptions): Promise<Part> {
  let earlier = ''
  const start = (ready?: RescindOptions['ready']): Promise<RescindProcess> =>
    startRescind([role], { config, timeoutMs: startTimeoutMs, ...(ready === undefined ? {} : { ready }) })
  let running = await start()
  return {
    said: text =>
      `${earlier}${running.output()}`
        .split('\n')
        .filter(line => line.startsWith('{') && line.endsWith('}') && line.includes(text))
        .map(line => JSON.parse(line) as LogLine),
    freeze: isFrozen => {
      process.kill(running.pid, isFrozen ? 'SIGSTOP' : 'SIGCONT')
    },
    end: async signal => {
      await running.kill(signal)
      // Removes its configuration.
      await running.stop()
    },
    startAgain: async ready => {
      earlier += running.output()
      running = await start(ready)
    },
  }
}
