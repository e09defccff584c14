/**
 * Reads a small UTF-8 text file with a limit on its size.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { RescindError } from '../../revocation/error.ts'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  EISDIR: 'it is a folder',
}

/**
 * The text of a file. Pipes and files that report no size are read up to the limit too.
 *
 * @throws RescindError ERR_CONFIG_UNREADABLE when it cannot be read, is too large or is not UTF-8; the message
 *   says only why, the caller adds which file
 */
export function readTextFile(path: string, limitBytes: number, read = readBytes): string {
  let bytes: Uint8Array
  try {
    bytes = read(path, limitBytes + 1)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw unreadable(`cannot be read: ${reasons[code] ?? code}`, error)
  }
  if (bytes.length > limitBytes) throw unreadable(`is larger than ${limitBytes / 1_024} KiB`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw unreadable('is not UTF-8 text', error)
  }
}

/** The first bytes of a file, at most `limitBytes`; throws what the file system throws. */
export function readBytes(path: string, limitBytes: number): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(limitBytes)
    let length = 0
    while (length < limitBytes) {
      const got = readSync(file, bytes, length, limitBytes - length, null)
      if (got === 0) break
      length += got
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

/** Reads the first bytes of a file; throws what the file system throws. */
export type ReadBytes = typeof readBytes

function unreadable(message: string, cause?: unknown): RescindError {
  return new RescindError('ERR_CONFIG_UNREADABLE', message, cause === undefined ? undefined : { cause })
}
