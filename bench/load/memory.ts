/**
 * The memory of a process as the kernel counts it (Linux), see proc(5), /proc/PID/status.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a process holds, MiB. */
export interface Memory {
  readonly residentMb: number
  /** Of that, what is no file's: heap, buffers, tables. */
  readonly anonymousMb: number
  /** The most that it held since it started, or since {@link forgetPeak}. */
  readonly peakMb: number
}

/** What a process holds now. */
export const memoryOf = (pid: number): Memory => readStatus(readFileSync(`/proc/${pid}/status`, 'latin1'))

/** Reads what /proc/PID/status says. Throws if a line is missing. */
export const readStatus = (status: string): Memory => ({
  residentMb: mebibytes(status, 'VmRSS'),
  anonymousMb: mebibytes(status, 'RssAnon'),
  peakMb: mebibytes(status, 'VmHWM'),
})

/** Counts the peak of a process anew from what it holds now. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Collects the garbage of this process: what is left is what it needs. */
export const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  // Once more for what the first one's finalizers let go.
  collect()
  collect()
}

const mebibytes = (status: string, name: string): number => {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kibibytes === undefined) throw new Error(`no ${name} in the status of the process`)
  return Number(kibibytes) / 1024
}
