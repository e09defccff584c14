/**
 * Where the project lies, whether this runs from source or compiled.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folderWithPackage = (folder: string): string => {
  if (existsSync(join(folder, 'package.json'))) return folder
  if (dirname(folder) === folder) throw new Error('package.json is in no folder above test/support')
  return folderWithPackage(dirname(folder))
}

/** The absolute path of the folder that has package.json. */
export const projectRoot = folderWithPackage(dirname(fileURLToPath(import.meta.url)))
