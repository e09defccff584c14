/**
 * A copy of the project in which things may be broken, compiled step by step.
 *
 * @module
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { projectRoot } from '../support/project.ts'
import { createCompiler } from './compiler.ts'

/** A copy of the project. */
export interface ProjectCopy {
  readonly folder: string
  /** The text of a file, by its path from the folder. */
  read(file: string): string
  write(file: string, text: string): void
  /** Compiles what was written since the last time. Throws with what the compiler says. */
  compile(): void
  remove(): void
}

const leftOut = new Set(['node_modules', '.git', '.services'])

/** Copies the project with what is built of it, but not what is brought, and compiles what has changed since. */
export const copyProject = (): ProjectCopy => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-break-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    cpSync(projectRoot, folder, {
      recursive: true,
      filter: path => !leftOut.has(relative(projectRoot, path)),
    })
    symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
    const compiler = createCompiler(folder)
    compiler.compile()
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
    const write = (file: string, text: string): void => {
      writeFileSync(join(folder, file), text)
      compiler.forget(join(folder, file))
    }
    return { folder, read, write, compile: compiler.compile, remove }
  } catch (error) {
    remove()
    throw error
  }
}
