/**
 * A folder of this process alone, with an LMDB database in it.
 *
 * @module
 */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { open, type RootDatabase } from 'lmdb'
import { RescindError } from '../revocation/error.ts'
import { claimFolder } from './folder-claim.ts'

/** Opens the databases of a folder, at most six. Without overlapping sync a transaction resolves when it is on disk. */
export const openRoot = (folder: string): RootDatabase =>
  open({ path: folder, noSubdir: false, maxDbs: 6, overlappingSync: false, eventTurnBatching: false })

/** An opened folder. */
export interface DataFolder<Databases> {
  readonly root: RootDatabase
  readonly databases: Databases
  /** Writes what is under way and lets others have the folder. */
  close(): Promise<void>
}

/**
 * Opens a folder, which is made if it is not there. A transaction resolves when it is flushed to disk.
 *
 * @param setting which names the folder, for errors.
 * @param openIn opens the databases in it, at most six.
 * @param code of the error if it cannot be used.
 * @throws RescindError that, or ERR_LOG_IN_USE if another process has it.
 */
export async function openDataFolder<Databases>(
  folder: string,
  setting: string,
  openIn: (root: RootDatabase) => Databases,
  code: 'ERR_DATA_FOLDER' | 'ERR_LOG_FOLDER' = 'ERR_DATA_FOLDER',
): Promise<DataFolder<Databases>> {
  const refuse = (cause: unknown) =>
    new RescindError(
      code,
      `${setting}: ${folder} cannot be used (${(cause as Error).message}); name a folder that this user can write`,
      { cause },
    )
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw refuse(error)
  }
  const claim = await claimFolder(folder, setting)
  try {
    const root = openRoot(folder)
    return {
      root,
      databases: openIn(root),
      close: async () => {
        await root.close()
        await claim.release()
      },
    }
  } catch (error) {
    await claim.release()
    throw refuse(error)
  }
}
