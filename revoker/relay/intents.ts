/**
 * What is being revoked at the identity provider, on disk before it is asked: so that a crash, or an append that fails
 * after it has answered, can be finished. No token is in it.
 *
 * @module
 */
import type { Database } from 'lmdb'
import { openDataFolder } from '../../event-log/data-folder.ts'
import { settleCommit } from '../../event-log/lmdb-commit.ts'
import { RescindError } from '../../revocation/error.ts'
import type { Taken } from './presets.ts'

/** A revocation that may have happened at the identity provider. */
export interface Intent {
  /** Random: what is published for it has ids that are made of this, so that a repeat is the same revocation. */
  readonly id: string
  /** When the identity provider was asked, or has answered if {@link proven}; seconds. */
  readonly at: number
  /** The client that asked, as it calls itself. */
  readonly client: string | undefined
  /** What the token takes with it, as far as that is known. */
  readonly taken: readonly Taken[]
  /** Before it was passed on the token was known to be genuine, and of this client. */
  readonly genuine: boolean
  /** The identity provider has said that it is revoked. */
  readonly proven: boolean
}

/** The intents of a relay, by a fingerprint of token and client. */
export interface Intents {
  get(key: string): Intent | undefined
  /** Durable when it resolves. @throws RescindError ERR_LOG_WRITE, ERR_OVERLOADED if there are too many. */
  put(key: string, intent: Intent): Promise<void>
  remove(key: string): Promise<void>
  /** All of them; a copy. */
  list(): readonly (readonly [key: string, intent: Intent])[]
  readonly size: number
  close(): Promise<void>
}

const intentsLimit = 100_000

/**
 * Opens the intents in a folder.
 *
 * @throws RescindError ERR_DATA_FOLDER, ERR_LOG_IN_USE
 */
export async function openIntents(folder: string): Promise<Intents> {
  const { databases, close } = await openDataFolder(folder, 'revoker.relay.folder', root =>
    root.openDB<Intent, string>({ name: 'intents', encoding: 'json' }),
  )
  return intentsIn(databases, folder, close)
}

function intentsIn(stored: Database<Intent, string>, folder: string, close: () => Promise<void>): Intents {
  const all = new Map<string, Intent>([...stored.getRange()].map(({ key, value }) => [key, value]))
  const written = (change: Promise<unknown>): Promise<unknown> =>
    change.catch(settleCommit).catch(error => {
      const message = `revoker.relay.folder: ${folder} cannot be written (${(error as Error).message}); is the disk full?`
      throw new RescindError('ERR_LOG_WRITE', message, { cause: error })
    })
  return {
    get: key => all.get(key),
    async put(key, intent) {
      if (all.size >= intentsLimit && !all.has(key))
        throw new RescindError('ERR_OVERLOADED', `${all.size} revocations at the identity provider are open`)
      await written(stored.put(key, intent))
      all.set(key, intent)
    },
    async remove(key) {
      await written(stored.remove(key))
      all.delete(key)
    },
    list: () => [...all],
    get size() {
      return all.size
    },
    close,
  }
}
