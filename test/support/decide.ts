/**
 * Decides with the real table and keys, as an enforcer does.
 *
 * @module
 */
import type { ClaimSet } from '../../revocation/claim-set.ts'
import { keyFromText } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import { RevocationTable } from '../../revocation/table.ts'
import { tokenKeys } from '../../revocation/token-keys.ts'
import type { SomeToken } from './revocations.ts'

/** Four unsigned 32-bit words of a key, little-endian. */
export type Words = readonly [number, number, number, number]

/** The words of a key of 16 bytes. */
export const wordsOf = (key: Buffer): Words => [
  key.readUInt32LE(0),
  key.readUInt32LE(4),
  key.readUInt32LE(8),
  key.readUInt32LE(12),
]

/** Whether a table rejects a token; entries that expired at or before `liveAfter` are over. */
export const tableRejects = (
  table: RevocationTable,
  sets: readonly ClaimSet[],
  { claims, facts, iat }: SomeToken,
  liveAfter: number,
): boolean => {
  const keys = tokenKeys(sets, claims, facts)
  if (typeof keys === 'string') throw new Error(keys)
  for (let at = 0; at < keys.length; at += 4) {
    const [k0, k1, k2, k3] = keys.subarray(at, at + 4) as unknown as Words
    if (table.rejects(k0, k1, k2, k3, Math.floor(iat), liveAfter)) return true
  }
  return false
}

/** The entries of a state in a table of their own. */
export const tableOf = (state: LiveState): RevocationTable => {
  const table = new RevocationTable()
  for (const { text, entry } of state.changedAfter(-1)) {
    table.set(...wordsOf(keyFromText(text)), entry.expiresAt, entry.issuedBefore)
  }
  return table
}
