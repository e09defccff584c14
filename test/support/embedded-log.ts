/**
 * The embedded log in a folder of its own, for tests.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import { createLogUnderTest, type LogUnderTest } from '../conformance/log-under-test.ts'

/** A new folder below the system's folder for temporary files. */
export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'rescind-log-'))

/** An embedded log in a new folder. */
export const createEmbeddedLogUnderTest = async (): Promise<LogUnderTest> => {
  const folder = await newFolder()
  return createLogUnderTest(
    () => openEmbeddedLog({ folder, appendTimeoutMs: 10_000 }),
    () => rm(folder, { recursive: true, force: true }),
  )
}
