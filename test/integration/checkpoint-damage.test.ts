/** A checkpoint that an accident of storage has changed is not believed. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { open as openDatabase } from 'lmdb'
import { openCheckpoint } from '../../event-log/checkpoint.ts'
import { matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import { followOnce, runOnceAt } from '../support/checkpoints.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { block, bytesOf, plainCodec } from '../support/revocations.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rescind-checkpoint-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const revoked = (name: string) => block({ jti: name }, 1_000)
const isLive = (state: LiveState, { match }: Revocation) =>
  (state.entry(matchKey(match, false).key)?.expiresAt ?? 0) > 0

describe('a checkpoint that was damaged is put aside, and the log read from its start, when', () => {
  const file = () => join(folder, 'data.mdb')

  const damages: Readonly<Record<string, () => Promise<void>>> = {
    'a byte of a key has changed': async () => {
      const bytes = await readFile(file())
      const { key } = matchKey(revoked('b').match, false)
      for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1))
        bytes[at] = ~(bytes[at] as number)
      await writeFile(file(), bytes)
    },
    'its end is missing': async () => truncate(file(), (await stat(file())).size - 4_096),
    'a group of keys is missing': async () => {
      const root = openDatabase({ path: folder, noSubdir: false, maxDbs: 6 })
      await root.openDB<Buffer, number>({ name: 'groups', encoding: 'binary' }).remove(0)
      await root.close()
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    test(name, async () => {
      const store = createMemoryLogStore()
      await store.open().appendAll([revoked('a'), revoked('b')].map(bytesOf))
      await runOnceAt(folder, store)
      await damage()
      const told: string[][] = []
      const checkpoint = await openCheckpoint({
        folder,
        codec: plainCodec,
        onError: error => assert.fail(String(error)),
        onDamaged: (problem, aside) => told.push([problem, aside]),
      })
      const { read, state } = await followOnce(store, checkpoint)
      await checkpoint.close()
      assert.deepEqual(read, [1, 2])
      assert.ok(isLive(state, revoked('a')) && isLive(state, revoked('b')))
      assert.equal(told.length, 1)
      assert.equal(told[0]?.[1], `${file()}.damaged`)
      assert.deepEqual((await runOnceAt(folder, store)).read, [])
    })
  }
})
