/**
 * The file of a checkpoint: whether all of it is there, and out of the way with it if it was damaged. LMDB reads through
 * mapped memory: what is missing at the end would end the process.
 *
 * @module
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RescindError } from '../revocation/error.ts'

const fileName = 'data.mdb'
/** Holds the size of the file in bytes, in decimal. */
const sizeName = 'data.size'

/**
 * Checks that a file that is there has not become shorter; LMDB's never do.
 *
 * @throws RescindError ERR_CHECKPOINT_INVALID
 */
export function checkFileSize(folder: string): void {
  const [noted, bytes] = [notedSize(folder), sizeOf(folder)]
  if (bytes === undefined || noted === undefined || bytes >= noted) return
  throw new RescindError('ERR_CHECKPOINT_INVALID', `${fileName} has ${bytes} bytes where it had ${noted}`)
}

/** Takes note of the size, when it has changed. */
export function noteFileSize(folder: string): void {
  const bytes = sizeOf(folder)
  if (bytes === undefined || bytes === notedSize(folder)) return
  const path = join(folder, sizeName)
  writeFileSync(`${path}.new`, String(bytes))
  renameSync(`${path}.new`, path)
}

/** Puts a damaged file aside, in the place of one that was put aside before; returns where it is. */
export function setAside(folder: string): string {
  const aside = join(folder, `${fileName}.damaged`)
  renameSync(join(folder, fileName), aside)
  writeFileSync(join(folder, sizeName), '0')
  return aside
}

function notedSize(folder: string): number | undefined {
  try {
    return Number(readFileSync(join(folder, sizeName), 'utf8'))
  } catch {
    return undefined
  }
}

const sizeOf = (folder: string): number | undefined =>
  statSync(join(folder, fileName), { throwIfNoEntry: false })?.size
