/**
 * Runs a system program to its end and explains in one line why it failed.
 *
 * @module
 */
import { spawn } from 'node:child_process'

const outputLimitChars = 64 * 1024

/**
 * Runs `command` with `args` and resolves with what it wrote to stdout. Rejects with a one-line message if it cannot
 * be started, does not end within `timeoutMs`, or ends with another code than 0 (then with its last line).
 */
export const runCommand = (
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; env?: Readonly<Record<string, string>> },
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-outputLimitChars)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-outputLimitChars)
    })
    child.on('error', error => reject(new Error(`${command} could not be run: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout)
      else reject(new Error(explain(command, signal === null ? `code ${code}` : signal, stderr || stdout)))
    })
  })

const explain = (command: string, end: string, output: string): string => {
  const lines = output.split('\n').filter(line => line.trim() !== '')
  const telling = lines.findLast(line => /error|^E:/i.test(line)) ?? lines.at(-1) ?? 'no output'
  return `${command} ended with ${end}: ${telling.trim()}`
}
