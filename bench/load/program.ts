/**
 * Programs of a benchmark that run in a process of their own, so that they can have a core of their own: they print
 * one line of JSON when they are up, or when they have measured.
 *
 * @module
 */
import { join } from 'node:path'
import { type Child, startChild } from '../../test/support/child.ts'
import { until } from '../../test/support/condition.ts'
import { projectRoot } from '../../test/support/project.ts'

/** A program and the first line of JSON that it printed. */
export interface Program<Line> {
  readonly child: Child
  readonly line: Line
}

/** Tells the process that runs this program. */
export const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

/** How a program is run. */
export interface ProgramOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Called when it has started, to give it a core. */
  place(pid: number): Promise<void>
}

/** Far beyond what any of them takes, also on a slow machine. */
const timeoutMs = 3_600_000

/** Starts the program `bench/NAME.ts` and waits for its line. */
export const startProgram = async <Line>(name: string, options: ProgramOptions): Promise<Program<Line>> => {
  const file = join(projectRoot, 'dist', 'bench', `${name}.js`)
  const child = await startChild(process.execPath, [file, ...(options.args ?? [])], {
    env: options.env ?? {},
  })
  await options.place(child.pid)
  try {
    const text = await until(`bench/${name} has told its line`, () => firstLine(child.output()), {
      timeoutMs,
      giveUp: () => (child.exitCode === undefined ? undefined : `it ended: ${child.output()}`),
    })
    return { child, line: JSON.parse(text) as Line }
  } catch (error) {
    await child.stop()
    throw error
  }
}

/** Runs a program that measures and ends. */
export const runProgram = async <Line>(name: string, options: ProgramOptions): Promise<Line> => {
  const { child, line } = await startProgram<Line>(name, options)
  await child.stop()
  return line
}

const firstLine = (output: string): string | undefined => /^\{.*\}$/m.exec(output)?.[0]
