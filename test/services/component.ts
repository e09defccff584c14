/**
 * What a real component is: something with a name that can be looked for on this machine, and brought onto it.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that tests, demo or benchmarks use when it is there. */
export interface Component {
  /** What `npm run services -- NAME` calls it; unique in the catalogue. */
  readonly name: string
  /** The path of the program if this machine has it already; never downloads anything. */
  find(): string | undefined
  /**
   * Brings it onto this machine, reporting each step. Throws ComponentUnavailable if it cannot be had here; what a
   * failed attempt left behind is never found by `find`.
   */
  bring(progress: (step: string) => void): Promise<void>
}

/** Says in one line why a component could not be brought, and how a person can get it. */
export class ComponentUnavailable extends Error {
  override readonly name = 'ComponentUnavailable'
}

/** The first executable file called `binary` on PATH. */
export const findOnPath = (binary: string): string | undefined => {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => folder !== '')
  return folders.map(folder => join(folder, binary)).find(isExecutable)
}

/** Whether `path` is a file that this process may run. */
export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
