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
  /** The identity provider has answered that it failed: nothing that was lost would say more. */
  readonly answered: boolean
}

/** The intents of a relay, by a fingerprint of token and client. */
export interface Intents {
  get(key: string): Intent | undefined
  /** Durable when it resolves; known at once. @throws RescindError ERR_LOG_WRITE, ERR_OVERLOADED if there are too many. */
  put(key: string, intent: Intent): Promise<void>
  remove(key: string): Promise<void>
  /** All of them; a copy. */
  list(): readonly (readonly [key: string, intent: Intent])[]
  readonly size: number
  close(): Promise<void>
}

const intentsLimit = 100_000
/** Of those that anybody could have invented; beyond that the oldest go, so that they are never in the way of others. */
const unprovenLimit = 1_000

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
  const unproven = new Set<string>()
  /** In memory first: what the disk does not take is at least settled as long as this process lives. */
  const remember = (key: string, intent: Intent) => {
    all.set(key, intent)
    if (intent.genuine || intent.proven) unproven.delete(key)
    else unproven.add(key)
  }
  const remove = async (key: string) => {
    all.delete(key)
    unproven.delete(key)
    await written(stored.remove(key))
  }
  for (const [key, intent] of all) remember(key, intent)
  return {
    get: key => all.get(key),
    async put(key, intent) {
      if (all.size >= intentsLimit && !all.has(key))
        throw new RescindError('ERR_OVERLOADED', `${all.size} revocations at the identity provider are open`)
      remember(key, intent)
      const [oldest] = unproven
      if (oldest !== undefined && unproven.size > unprovenLimit) await remove(oldest)
      await written(stored.put(key, intent))
    },
    remove,
    list: () => [...all],
    get size() {
      return all.size
    },
    close,
  }
}
