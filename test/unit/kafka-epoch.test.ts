/** The search for the epoch of a Kafka topic. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchEpoch } from '../../event-log/kafka/epoch.ts'
import type { PartitionReader } from '../../event-log/kafka/partition-reader.ts'
import { aborted } from '../../runtime/abort-signal.ts'
import { systemClock } from '../../runtime/clock.ts'
import { plainCodec } from '../support/revocations.ts'

test('a search that waits for entries which the topic has lost meanwhile is cut short, and has proved nothing', async () => {
  const open = (signal: AbortSignal): PartitionReader => ({
    last: { position: -1, digest: 0n },
    passed: -1,
    pages: async function* () {
      await aborted(signal)
      yield []
    },
  })
  const clock = {
    ...systemClock,
    every: (_ms: number, action: () => void) => {
      const stops = [systemClock.after(0, action), systemClock.after(1, action)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
  const search = { open, codec: plainCodec, closed: new AbortController().signal, clock }
  await assert.rejects(searchEpoch(search, 5), { code: 'ERR_LOG_UNREACHABLE' })
})
