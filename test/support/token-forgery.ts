/**
 * Changes tokens that were issued, as somebody does who has no key.
 *
 * @module
 */

/** The token with other bits in the last character of its signature that do not count; RSA and ECDSA signatures have them. */
export const flipPaddingBits = (token: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.at(-1) as string)
  const changed = `${token.slice(0, -1)}${alphabet[last ^ 1]}`
  const octets = (text: string): Buffer => Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url')
  if (octets(changed).equals(octets(token))) return changed
  throw new Error('the signature of this token has no padding bits')
}

/** The order of P-256 (FIPS 186-5). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The ES256 token with its other valid signature: (r, n - s) verifies wherever (r, s) does. */
export const malleate = (token: string): string => {
  const end = token.lastIndexOf('.') + 1
  const signature = Buffer.from(token.slice(end), 'base64url')
  const s = BigInt(`0x${signature.toString('hex', 32)}`)
  const other = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
  return token.slice(0, end) + Buffer.concat([signature.subarray(0, 32), other]).toString('base64url')
}

/** The token with these claims instead of its own, and its old signature. */
export const withPayload = (token: string, claims: object): string => {
  const [header, payload = '', signature] = token.split('.')
  const own = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...own, ...claims })).toString('base64url')
  return `${header}.${changed}.${signature}`
}
