/**
 * A process of its own on an embedded log: `node embedded-log-child.js MODE FOLDER`.
 *
 * - `hold` opens it and does nothing
 * - `append` appends `event N` for N = 1, 2, ... and prints `ack POSITION N` after each, until an append fails
 * - `lock` holds the database's write lock, which no process of ours does for long
 *
 * Prints `open` when it has begun, and the code of an error.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { open } from 'lmdb'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}

const hold = async (folder: string): Promise<void> => {
  await openEmbeddedLog({ folder, appendTimeoutMs: 10_000 })
  say('open')
  setInterval(() => undefined, 1_000)
}

/** Several appenders, so that appends share writes as they do in a revoker. */
const append = async (folder: string): Promise<void> => {
  const log = await openEmbeddedLog({ folder, appendTimeoutMs: 10_000 })
  say('open')
  let next = 1
  const appendOn = async () => {
    for (;;) {
      const number = next++
      const position = await log.append(Buffer.from(`event ${number}`))
      say(`ack ${position} ${number}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, appendOn))
}

const lock = (folder: string): void => {
  const root = open({ path: folder, noSubdir: false, maxDbs: 4 })
  root.transactionSync(() => {
    say('open')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
}

const [mode, folder] = process.argv.slice(2) as [string, string]
try {
  if (mode === 'hold') await hold(folder)
  else if (mode === 'append') await append(folder)
  else lock(folder)
} catch (error) {
  say(`failed ${(error as { code?: string }).code}`)
  process.exit(1)
}
