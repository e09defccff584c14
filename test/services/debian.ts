/**
 * Components that come as a Debian package, installed by apt-get when this process may.
 *
 * @module
 */
import { runCommand } from './command.ts'
import { type Component, ComponentUnavailable, findOnPath } from './component.ts'

const timeoutMs = 300_000
const waitForOthers = ['-o', 'DPkg::Lock::Timeout=120']
const env = { DEBIAN_FRONTEND: 'noninteractive' }

let updated: Promise<unknown> | undefined

/** A component that the Debian package `package` brings, as the program `binary` on PATH. */
export const debianComponent = (options: {
  readonly name: string
  readonly package: string
  readonly binary: string
}): Component => ({
  name: options.name,
  find: () => findOnPath(options.binary),
  async bring(progress) {
    const command = `apt-get install --no-install-recommends ${options.package}`
    if (findOnPath('apt-get') === undefined)
      throw new ComponentUnavailable(
        `no apt-get here; install what has ${options.binary} (Debian: ${options.package})`,
      )
    if (process.getuid?.() !== 0) throw new ComponentUnavailable(`needs root; install it by: sudo ${command}`)
    try {
      await updateOnce(progress)
      progress(`installing the Debian package ${options.package}`)
      const install = ['install', '-y', '-q', '--no-install-recommends', options.package]
      await runCommand('apt-get', [...waitForOthers, ...install], { timeoutMs, env })
    } catch (error) {
      throw new ComponentUnavailable(`${(error as Error).message}; install it by: ${command}`, {
        cause: error,
      })
    }
  },
})

const updateOnce = (progress: (step: string) => void): Promise<unknown> => {
  if (updated === undefined) {
    progress('apt-get update')
    updated = runCommand('apt-get', [...waitForOthers, 'update', '-q'], { timeoutMs, env })
  }
  return updated
}
