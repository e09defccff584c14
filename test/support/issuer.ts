/**
 * An issuer of which a test holds the keys: its JWKS over HTTP, and signing of any token, also of those that a real
 * OpenID Provider would never issue.
 *
 * @module
 */
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { CompactSign, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'
import { close, listen } from './listening.ts'

const algorithms = ['RS256', 'ES256', 'EdDSA'] as const

/** The signature algorithms of which the issuer has a key. */
export type TestAlgorithm = (typeof algorithms)[number]

/** How a token is to be signed. */
export interface SignOptions {
  /** RS256 if not given. `none` and `HS256` (keyed with the RSA public key's PEM) are the known attacks. */
  readonly alg?: TestAlgorithm | 'none' | 'HS256'
  /** The header's kid; that of the signing key if not given, left out when null. */
  readonly kid?: string | null
  /** Further header fields. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** A running issuer on 127.0.0.1. */
export interface TestIssuer {
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** Where its public keys are. */
  readonly jwksUri: string
  /** How often the public keys were fetched. */
  readonly requests: number
  /**
   * A compact JWS of the claims. `iss`, `aud`, `sub`, `jti`, `iat` and `exp` (in 5 minutes) are filled in unless given;
   * given as undefined, a claim is left out.
   */
  sign(claims?: Readonly<Record<string, unknown>>, options?: SignOptions): Promise<string>
  /** The kid of the key that signs with `alg`. */
  kid(alg?: TestAlgorithm): string
  /** Replaces all keys by new ones, in the JWKS too; tokens of the old ones no longer verify. */
  rotate(): Promise<void>
  /** While true, the public keys are answered with 503. */
  broken: boolean
  stop(): Promise<void>
}

/** The audience of tokens that tests issue. */
export const testAudience = 'https://api.example.test'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

/** Starts an issuer with one RS256, one ES256 and one EdDSA (Ed25519) key. */
export const createTestIssuer = async (): Promise<TestIssuer> => {
  let generation = 1
  let keys = await createKeys(generation)
  let requests = 0
  let tokens = 0
  const server = createServer((_request, response) => {
    requests += 1
    if (self.broken) {
      response.writeHead(503).end()
      return
    }
    const jwks = { keys: Object.values(keys).map(key => key.jwk) }
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify(jwks))
  })
  const issuer = `http://127.0.0.1:${await listen(server)}`

  const self: TestIssuer = {
    issuer,
    jwksUri: `${issuer}/jwks`,
    broken: false,
    get requests() {
      return requests
    },
    kid: (alg = 'RS256') => keys[alg].kid,
    sign(claims = {}, options = {}) {
      tokens += 1
      const iat = Math.floor(Date.now() / 1000)
      const standard = {
        iss: issuer,
        aud: testAudience,
        sub: 'user-1',
        jti: `token-${tokens}`,
        iat,
        exp: iat + 300,
      }
      return sign(keys, { ...standard, ...claims }, options)
    },
    async rotate() {
      generation += 1
      keys = await createKeys(generation)
    },
    stop: () => close(server, () => server.closeAllConnections()),
  }
  return self
}

const createKeys = async (generation: number): Promise<Record<TestAlgorithm, SigningKey>> => {
  const made = await Promise.all(
    algorithms.map(async alg => {
      const kid = `${alg}-${generation}`
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
      const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
      return [alg, { kid, privateKey, publicKey, jwk }] as const
    }),
  )
  return Object.fromEntries(made) as unknown as Record<TestAlgorithm, SigningKey>
}

const sign = async (
  keys: Record<TestAlgorithm, SigningKey>,
  claims: Readonly<Record<string, unknown>>,
  options: SignOptions,
): Promise<string> => {
  const alg = options.alg ?? 'RS256'
  const key = keys[alg === 'none' || alg === 'HS256' ? 'RS256' : alg]
  const kid = options.kid === undefined ? key.kid : options.kid
  const header = { alg, typ: 'at+jwt', ...(kid === null ? {} : { kid }), ...options.header }
  const payload = Buffer.from(JSON.stringify(claims))
  if (alg !== 'none' && alg !== 'HS256')
    return new CompactSign(payload).setProtectedHeader(header).sign(key.privateKey)
  const signed = `${base64url(JSON.stringify(header))}.${payload.toString('base64url')}`
  if (alg === 'none') return `${signed}.`
  const secret = await exportSPKI(key.publicKey)
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
