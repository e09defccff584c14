/**
 * An issuer that makes many tokens before they are needed.
 *
 * @module
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { testAudience } from '../support/issuer.ts'
import { close, listen } from '../support/listening.ts'
import { testClient } from '../support/stack.ts'

/** A running issuer. */
export interface TokenMint {
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly jwksUri: string
  /** Makes so many tokens of `testClient`; the jti of each is `name-NUMBER`, from 0. */
  mint(name: string, count: number): readonly string[]
  stop(): Promise<void>
}

const lifetimeSeconds = 3_600
const kid = 'chaos'

/** ES256 is quickly signed; RS256 quickly verified, and what most identity providers sign with. */
export type MintAlgorithm = 'ES256' | 'RS256'

/** Starts an issuer on a free port of 127.0.0.1. */
export async function startMint(alg: MintAlgorithm = 'ES256'): Promise<TokenMint> {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'application/jwk-set+json' })
      .end(JSON.stringify({ keys: [jwk] }))
  })
  const issuer = `http://127.0.0.1:${await listen(server)}`
  const header = encode({ alg, typ: 'at+jwt', kid })
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const

  const mintOne = (jti: string, iat: number): string => {
    const claims = { iss: issuer, aud: testAudience, sub: 'user-1', client_id: testClient.id, jti }
    const signed = `${header}.${encode({ ...claims, iat, exp: iat + lifetimeSeconds })}`
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
  }

  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    mint: (name, count) => {
      const iat = Math.floor(Date.now() / 1000)
      return Array.from({ length: count }, (_, number) => mintOne(`${name}-${number}`, iat))
    },
    stop: () => close(server, () => server.closeAllConnections()),
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
