/**
 * Runs the built `rescind` command to its end, with its outputs apart and something on its standard input.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { projectRoot } from './project.ts'

/** How a command ended. */
export interface CommandResult {
  /** null if it had to be killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

const timeoutMs = 30_000

/** Runs `rescind ARGS`; a command that has not ended after 30 s is killed. */
export const runCommandLine = async (
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<CommandResult> => {
  const main = join(projectRoot, 'dist', 'cli', 'main.js')
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...options.env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  // A command that does not read its input closes it; that is no failure of the test.
  child.stdin.on('error', () => undefined).end(options.input ?? '')
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { exitCode, stdout, stderr }
}
