/**
 * The embedded log in a folder of its own, for tests.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import type { LogUnderTest } from '../conformance/event-log-suite.ts'

/** A new folder below the system's folder for temporary files. */
export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'rescind-log-'))

/** An embedded log in a new folder. */
export const createEmbeddedLogUnderTest = async (): Promise<LogUnderTest> => {
  const folder = await newFolder()
  let log: EventLog | undefined
  const open = async () => {
    log = await openEmbeddedLog({ folder, appendTimeoutMs: 10_000 })
    return log
  }
  const close = async () => {
    await log?.close()
    log = undefined
  }
  return {
    open,
    reopen: async () => {
      await close()
      return open()
    },
    destroy: async () => {
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
