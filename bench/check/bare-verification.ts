/**
 * The other baseline: verifications of one RS256 signature per second and nothing else, one after the other in one
 * thread, by node:crypto (synchronous) and by jose. Arguments: the URL of the JWKS, seconds for each. Reads the token
 * from the environment (BENCH_TOKEN). Prints its figures.
 *
 * @module
 */
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { tell } from '../load/program.ts'

/** What is printed. */
export interface BareVerification {
  readonly nodeCryptoPerSecond: number
  readonly josePerSecond: number
}

const [jwksUri = '', seconds = '1'] = process.argv.slice(2)
const token = process.env.BENCH_TOKEN ?? ''
const { kid } = decodeProtectedHeader(token)
const { keys } = (await (await fetch(jwksUri)).json()) as { keys: readonly JWK[] }
const jwk = keys.find(key => key.kid === kid) as JWK

const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
const dot = token.lastIndexOf('.')
const signed = Buffer.from(token.slice(0, dot))
const signature = Buffer.from(token.slice(dot + 1), 'base64url')
const cryptoKey = await importJWK(jwk, 'RS256')

const perSecond = async (step: () => boolean | Promise<boolean>): Promise<number> => {
  const endMs = performance.now() + Number(seconds) * 1000
  const startMs = performance.now()
  let done = 0
  while (performance.now() < endMs) {
    if (!(await step())) throw new Error('the signature does not verify')
    done++
  }
  return (done * 1000) / (performance.now() - startMs)
}

const nodeCrypto = () => verify('RSA-SHA256', signed, key, signature)
const jose = async () => (await compactVerify(token, cryptoKey)).protectedHeader.alg === 'RS256'

const figures: BareVerification = {
  nodeCryptoPerSecond: await perSecond(nodeCrypto),
  josePerSecond: await perSecond(jose),
}
tell(figures)
