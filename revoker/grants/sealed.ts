/**
 * A token, sealed so that only who presents the other token of its grant can be told it: AES-256-GCM with a key that HKDF
 * (RFC 5869) derives from that other token.
 *
 * Salt (16 bytes), nonce (12), ciphertext, tag (16). Every sealed text has a salt of its own, so no key is used twice.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { TokenKind } from './presented-token.ts'

/** The token that opens, and what the sealed text belongs to. */
export interface Opener {
  readonly kind: TokenKind
  /** What it is made of, see `PresentedToken`. */
  readonly octets: Uint8Array
  /** Authenticated with the text: a sealed text that was moved elsewhere does not open. */
  readonly belongsTo: Uint8Array
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
const textAt = saltBytes + nonceBytes

/** Seals a token under the other one of its grant. */
export function seal(text: string, opener: Opener): Buffer {
  const head = randomBytes(textAt)
  const cipher = createCipheriv(algorithm, keyOf(opener, head), nonceOf(head)).setAAD(opener.belongsTo)
  return Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** The token that was sealed; undefined if this is not what opens it. */
export function unseal(sealed: Buffer, opener: Opener): string | undefined {
  if (sealed.length < textAt + tagBytes) return undefined
  const lengths = { authTagLength: tagBytes }
  const decipher = createDecipheriv(algorithm, keyOf(opener, sealed), nonceOf(sealed), lengths)
  decipher.setAAD(opener.belongsTo).setAuthTag(sealed.subarray(-tagBytes))
  try {
    const text = decipher.update(sealed.subarray(textAt, -tagBytes))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function keyOf({ kind, octets }: Opener, sealed: Buffer): Buffer {
  const salt = sealed.subarray(0, saltBytes)
  return Buffer.from(hkdfSync('sha256', octets, salt, `rescind grant 1: sealed under ${kind}`, keyBytes))
}

const nonceOf = (sealed: Buffer): Buffer => sealed.subarray(saltBytes, textAt)
