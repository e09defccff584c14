/**
 * The 128-bit key under which a revocation is stored: it says what is matched. docs/protocol.md has test vectors.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { type ClaimSet, createClaimSet } from './claim-set.ts'
import { type ClaimValue, checkedValueText } from './claims.ts'

/** Number of the derivation below; a batch that names another one is refused. */
export const derivation = 1

/** Bytes of a key. */
export const keyBytes = 16

/** 32-bit words of a key. */
export const keyWords = 4

/** What a revocation matches: every listed claim must equal. */
export type Match = Readonly<Record<string, ClaimValue>>

/**
 * Derives a key: the first 16 bytes of SHA-256 over the derivation number (1 byte), 1 for a cut or 0 for a block
 * (1 byte), and for each claim, in the order of the set, name and value as UTF-8 with 4-byte big-endian lengths.
 *
 * @param texts one text for each name of the set, see `valueText`.
 */
export function deriveKey(set: ClaimSet, texts: readonly string[]): Buffer {
  const hash = createHash('sha256').update(Buffer.of(derivation, set.cut ? 1 : 0))
  set.names.forEach((name, index) => {
    hash.update(lengthPrefixed(name)).update(lengthPrefixed(texts[index] as string))
  })
  return hash.digest().subarray(0, keyBytes)
}

/**
 * The claim set and key of a revocation.
 *
 * @throws RescindError ERR_REVOCATION_INVALID if the match is empty or has a name or value that is not allowed.
 */
export function matchKey(match: Match, cut: boolean): { set: ClaimSet; key: Buffer } {
  const set = createClaimSet(Object.keys(match), cut)
  const texts = set.names.map(name => checkedValueText(name, match[name]))
  return { set, key: deriveKey(set, texts) }
}

/** A key as text, for maps: one character per byte. */
export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

/** The inverse of {@link keyText}. */
export const keyFromText = (text: string): Buffer => Buffer.from(text, 'latin1')

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const prefixed = Buffer.allocUnsafe(4 + bytes.length)
  prefixed.writeUInt32BE(bytes.length, 0)
  bytes.copy(prefixed, 4)
  return prefixed
}
