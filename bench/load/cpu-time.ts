/**
 * The processor time that a process has used (Linux).
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

let ticksPerSecond: number | undefined

/** User and system time of a process so far, seconds, in steps of 1/100 s. See proc(5), /proc/PID/stat. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The command, in parentheses, may have spaces; after it come the fields from number 3 on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [utime, stime] = [fields[14 - 3], fields[15 - 3]].map(Number) as [number, number]
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return (utime + stime) / ticksPerSecond
}
