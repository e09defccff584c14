/** The longest token lifetime is declared until it is read. */
import { test } from 'node:test'
import { LiveState } from '../../revocation/live-state.ts'
import { keepLifetimeDeclared } from '../../revoker/lifetime-declaration.ts'
import { systemClock } from '../../runtime/clock.ts'
import { until } from '../support/condition.ts'
import { createIdleFollower } from '../support/idle-follower.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { createErrorLogger } from '../support/published-log.ts'
import { plainCodec } from '../support/revocations.ts'

test('a declaration that was lost before it was read is made again', async () => {
  const store = createMemoryLogStore()
  const log = store.open()
  let look: () => void = () => undefined
  let isLost = false
  const declaration = keepLifetimeDeclared({
    log: { ...log, check: async () => ({ epoch: undefined, start: 0, end: -1, known: 'confirmed' }) },
    codec: plainCodec,
    follower: {
      ...createIdleFollower(),
      state: new LiveState(),
      reached: () => new Promise<boolean>(() => undefined),
      subscribe: listener => {
        look = listener
        return () => undefined
      },
    },
    maxTokenLifetimeSeconds: 100,
    logger: createErrorLogger().logger,
    clock: {
      ...systemClock,
      sleep: async () => {
        if (!isLost) store.wipe()
        isLost = true
      },
    },
  })
  await until('it was lost', () => isLost)
  await until('it is declared again', () => {
    look()
    return store.entries.length > 0
  })
  declaration.close()
})
