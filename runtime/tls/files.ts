/**
 * Files of certificates and keys that may change while they are used. They are read again every second and compared
 * by content, so it does not matter how they are replaced: in place, by renaming, or as Kubernetes swaps a symlink. All
 * files are taken together or not at all; what cannot be used is told, and what was read before stays in use.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../logger.ts'
import {
  invalidNow,
  type TlsContent,
  type TlsMaterial,
  type TlsPart,
  tlsFileError,
  tlsMaterial,
} from './material.ts'

/** A file to read. */
export interface TlsFile {
  readonly part: TlsPart
  /** Path in the configuration, for errors. */
  readonly setting: string
  readonly path: string
}

/** What to read, and how. */
export interface TlsFilesOptions {
  readonly files: readonly TlsFile[]
  readonly logger: Logger
  /** Time between two looks at the files; default 1 s. */
  readonly pollMs?: number
}

/** Files that are looked at until they are closed. */
export interface TlsFiles {
  /** What was read last of what can be used. */
  readonly material: TlsMaterial
  /** Why the files cannot be used as they are now, or that our certificate is not valid now. */
  readonly problem: RescindError | undefined
  /** Calls the listener whenever there is other material. */
  onChanged(listener: (material: TlsMaterial) => void): void
  close(): void
}

interface Finding {
  readonly contents: readonly TlsContent[]
  readonly material: TlsMaterial
}

const defaultPollMs = 1_000
const fileLimitBytes = 2 ** 20

/**
 * Reads the files and goes on looking at them.
 *
 * @throws RescindError ERR_TLS_FILE if they cannot be used; it names the setting and the file.
 */
export async function openTlsFiles(options: TlsFilesOptions): Promise<TlsFiles> {
  const { files, logger, pollMs = defaultPollMs } = options
  const listeners: ((material: TlsMaterial) => void)[] = []
  let inUse = await examine(files, undefined)
  let suspected = invalidNow(inUse.material, Date.now())
  let problem: RescindError | undefined
  let polling: NodeJS.Timeout | undefined
  let closed = false

  const adopt = (found: Finding) => {
    inUse = found
    for (const listener of listeners) listener(found.material)
    logger.info({ ...validity(found.material) }, 'the TLS files have changed; new connections use them')
  }
  const tell = (seen: RescindError | undefined) => {
    // Files that are being replaced may not belong together for a moment: only what is wrong twice is wrong.
    const isNew = seen?.message !== suspected?.message
    suspected = seen
    if ((isNew && seen !== undefined) || seen?.message === problem?.message) return
    problem = seen
    if (seen === undefined) logger.info({}, 'the TLS files can be used again')
    else logger.error({ err: seen }, 'THE TLS FILES ARE NOT AS THEY MUST BE; what was read last stays in use')
  }
  const look = async () => {
    try {
      const found = await examine(files, inUse)
      if (found !== inUse && !closed) adopt(found)
      tell(invalidNow(found.material, Date.now()))
    } catch (error) {
      tell(error instanceof RescindError ? error : tlsFileError(String(error), error))
    }
    schedule()
  }
  const schedule = () => {
    if (!closed && files.length > 0) polling = setTimeout(look, pollMs)
  }

  tell(suspected)
  schedule()
  return {
    get material() {
      return inUse.material
    },
    get problem() {
      return problem
    },
    onChanged: listener => {
      listeners.push(listener)
    },
    close: () => {
      closed = true
      clearTimeout(polling)
    },
  }
}

/** Reads and judges the files; gives back what was known if they have not changed. */
async function examine(files: readonly TlsFile[], known: Finding | undefined): Promise<Finding> {
  const contents = await Promise.all(files.map(readContent))
  if (known?.contents.every(({ text }, index) => text === contents[index]?.text)) return known
  return { contents, material: tlsMaterial(contents) }
}

async function readContent(file: TlsFile): Promise<TlsContent> {
  const chunks: Buffer[] = []
  try {
    // The byte at the limit shows that there is more.
    for await (const chunk of createReadStream(file.path, { end: fileLimitBytes })) chunks.push(chunk)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw tlsFileError(`${file.setting}: ${file.path} cannot be read (${code})`, error)
  }
  const bytes = Buffer.concat(chunks)
  if (bytes.length > fileLimitBytes)
    throw tlsFileError(`${file.setting}: ${file.path} is larger than ${fileLimitBytes / 1024} KiB`)
  return { ...file, text: bytes.toString('latin1') }
}

const validity = ({ certificate }: TlsMaterial): object =>
  certificate === undefined ? {} : { expiresAt: new Date(certificate.expiresAtMs).toISOString() }
