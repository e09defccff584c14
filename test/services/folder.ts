/**
 * The folder `.services` at the project's root, into which components are unpacked, each at once or not at all.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../support/project.ts'

/** Where components are unpacked: RESCIND_SERVICES_FOLDER, else `.services` at the project's root. */
export const servicesFolder = (): string =>
  process.env.RESCIND_SERVICES_FOLDER ?? join(projectRoot, '.services')

/**
 * Makes the folder `name` in `.services` by letting `fill` write into a folder beside it that is renamed when it is
 * complete, so that nobody ever finds half a component; of several at the same time, the first wins.
 */
export const installFolder = async (name: string, fill: (folder: string) => Promise<void>): Promise<void> => {
  const target = join(servicesFolder(), name)
  const partial = join(servicesFolder(), `.partial-${process.pid}-${name}`)
  removeAbandoned()
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  try {
    await fill(partial)
    becomeUnlessThere(partial, target)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Renaming onto a folder that has something in it fails, which is how the second of two learns that it lost. */
const becomeUnlessThere = (partial: string, target: string): void => {
  try {
    renameSync(partial, target)
  } catch (error) {
    if (!existsSync(target)) throw error
  }
}

const removeAbandoned = (): void => {
  if (!existsSync(servicesFolder())) return
  for (const name of readdirSync(servicesFolder())) {
    const pid = /^\.partial-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(servicesFolder(), name), { recursive: true, force: true })
  }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
