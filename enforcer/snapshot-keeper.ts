/**
 * Keeps the snapshot of an enforcer on disk, so that it can decide after a restart although no adapter answers, and needs
 * only what is new when one does.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { encodeSnapshot, type SnapshotFacts, type SnapshotStore } from './discovery/stored-snapshot.ts'
import type { Subscription } from './discovery/subscription.ts'

/** What is kept where, and when it is used. */
export interface SnapshotKeeperOptions {
  readonly store: SnapshotStore
  readonly subscription: Subscription
  /** How often it is stored if something has changed. */
  readonly saveEveryMs: number
  /** For how long adapters are waited for before checks are decided by what was stored. */
  readonly useAfterMs: number
  readonly logger: Logger
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** A keeper. */
export interface SnapshotKeeper {
  /** Why checks are decided by what was stored, for people; undefined if they are not. */
  readonly note: string | undefined
  /** When it was last stored, milliseconds since 1970; undefined if it was not since the start. */
  readonly savedAtMs: number | undefined
  /** Stores once more, and stops. */
  close(): Promise<void>
}

/**
 * Gives the subscription what was stored, and starts to keep it. What cannot be used is said and passed over: an adapter will
 * bring everything.
 */
export async function keepSnapshot(options: SnapshotKeeperOptions): Promise<SnapshotKeeper> {
  const { store, subscription, logger, clock = systemClock } = options
  await restore(options, clock)
  let savedRevision = subscription.revision
  let savedAtMs: number | undefined
  let saving: Promise<void> | undefined

  const factsNow = () => subscription.facts(clock.monotonicMs(), clock.wallMs())
  const save = async () => {
    const { revision } = subscription
    if (revision === savedRevision || factsNow() === undefined) return
    try {
      await store.save(encodeSnapshot(() => factsNow() as SnapshotFacts, subscription.snapshot))
      savedRevision = revision
      savedAtMs = clock.wallMs()
    } catch (error) {
      logger.error({ err: error }, 'the snapshot cannot be stored on disk; trying again')
    }
  }
  const saveInTurn = () => {
    saving ??= save().finally(() => {
      saving = undefined
    })
    return saving
  }
  const use = () => {
    if (!subscription.useStored()) return
    const ageSeconds = Math.round(subscription.stalenessMs(clock.monotonicMs()) / 1000)
    logger.warn(
      { ageSeconds, version: subscription.snapshot.version },
      'no adapter has answered: checks are decided by the snapshot on disk (enforcer.snapshot.useAfter)',
    )
  }

  const stopWaiting = clock.after(options.useAfterMs, use)
  const stopSaving = clock.every(options.saveEveryMs, saveInTurn)
  return {
    get note() {
      if (!subscription.isStored) return undefined
      const ageSeconds = Math.round(subscription.stalenessMs(clock.monotonicMs()) / 1000)
      return `no adapter has answered yet: checks are decided by the snapshot on disk, which is ${ageSeconds} s old`
    },
    get savedAtMs() {
      return savedAtMs
    },
    close: async () => {
      stopWaiting()
      stopSaving()
      await saving
      // Also if nothing has changed: how old it is counts from when it was stored.
      savedRevision = -1
      await saveInTurn()
    },
  }
}

async function restore({ store, subscription, logger }: SnapshotKeeperOptions, clock: Clock): Promise<void> {
  try {
    const stored = await store.load()
    if (stored === undefined) return
    const { version, storedAtMs } = stored.facts
    subscription.restore(stored, clock.monotonicMs(), clock.wallMs())
    logger.info(
      { version, storedAt: new Date(storedAtMs).toISOString(), entries: stored.table.size },
      'the snapshot on disk was read; asking the adapters for what came after it',
    )
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    logger.error(
      { problem: error.message, code: error.code },
      'THE SNAPSHOT ON DISK CANNOT BE USED; waiting for an adapter',
    )
  }
}
