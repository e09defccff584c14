/**
 * The 128-bit key under which a revocation is stored: it says what is matched. docs/protocol.md has test vectors.
 *
 * @module
 */
import * as crypto from 'node:crypto'
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
export const deriveKey = (set: ClaimSet, texts: readonly string[]): Buffer =>
  keyFromText(deriveKeyText(set, texts))

/** The same as text, see {@link keyText}. */
export function deriveKeyText({ names, cut }: ClaimSet, texts: readonly string[]): string {
  const input = Buffer.allocUnsafe(inputBytesLimit(names, texts))
  input[0] = derivation
  input[1] = cut ? 1 : 0
  let end = 2
  for (const [index, name] of names.entries()) {
    end = writePrefixed(input, name, end)
    end = writePrefixed(input, texts[index] as string, end)
  }
  return firstBytes(sha256(input.subarray(0, end)))
}

/**
 * The claim set and key of a revocation.
 *
 * @throws RescindError ERR_REVOCATION_INVALID if the match is empty or has a name or value that is not allowed.
 */
export function matchKey(match: Match, cut: boolean): { set: ClaimSet; key: Buffer } {
  const { set, text } = matchKeyText(match, cut)
  return { set, key: keyFromText(text) }
}

/** The same with the key as text, see {@link keyText}. */
export function matchKeyText(match: Match, cut: boolean): { set: ClaimSet; text: string } {
  const set = createClaimSet(Object.keys(match), cut)
  const texts = set.names.map(name => checkedValueText(name, match[name]))
  return { set, text: deriveKeyText(set, texts) }
}

/** A key as text, for maps: one character per byte. */
export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

/** The inverse of {@link keyText}. */
export const keyFromText = (text: string): Buffer => Buffer.from(text, 'latin1')

/** A character becomes at most three bytes. */
function inputBytesLimit(names: readonly string[], texts: readonly string[]): number {
  let bytes = 2
  for (const name of names) bytes += 4 + 3 * name.length
  for (const text of texts) bytes += 4 + 3 * text.length
  return bytes
}

/** Writes a text after its length; returns where it ends. */
function writePrefixed(target: Buffer, text: string, at: number): number {
  const length = target.write(text, at + 4, 'utf8')
  target.writeUInt32BE(length, at)
  return at + 4 + length
}

/** One byte in each character. Node 20.12 and later do it in one step, which takes half the time. */
const sha256 = (input: Buffer): string =>
  crypto.hash === undefined
    ? crypto.createHash('sha256').update(input).digest('binary')
    : crypto.hash('sha256', input, 'binary')

/** The beginning of a hash as a string of its own: a slice would keep all of it in memory. */
const firstBytes = (hash: string): string => Buffer.from(hash, 'latin1').toString('latin1', 0, keyBytes)
