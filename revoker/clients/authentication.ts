/**
 * Finds out which client asks: by a secret, a signed assertion, or its name alone if it is public (RFC 6749 section 2.3,
 * RFC 7523).
 *
 * @module
 */
import { createSecretVerifier } from '../../token/secret.ts'
import type { AssertionVerifier } from './assertions.ts'
import type { ConfiguredClient } from './configured-client.ts'
import type { Presented } from './presented.ts'
import { addressKey, createTokenBuckets } from './token-buckets.ts'

/** Who asks. */
export interface AuthenticatedClient {
  readonly id: string
  /** One for each issuer with such a client. */
  readonly clients: readonly ConfiguredClient[]
  /** It proved a credential; a public client did not. */
  readonly isProven: boolean
}

/** What became of a request's credentials. */
export type Authentication =
  | { readonly client: AuthenticatedClient }
  | { readonly refused: 'unauthenticated' }
  /** Too many failures, or too many requests of this client. */
  | { readonly refused: 'limited'; readonly waitMs: number }

/** Finds out who asks. */
export interface ClientAuthenticator {
  /**
   * @param address where the request comes from, for limits.
   * @throws RescindError ERR_OVERLOADED
   */
  authenticate(presented: Presented, address: string): Promise<Authentication>
}

/** How often clients may ask. */
export interface ClientLimits {
  /** Of one client name from one address; ten times as many from one address. */
  readonly failuresPerMinute: number
  /** Of one client. */
  readonly requestsPerSecond: number
}

const keysLimit = 10_000
/** An address may be that of many clients. */
const addressShare = 10
/** Characters of a client name that proved nothing. */
const idLimit = 256

/** Counts failures of clients and addresses, wherever they are found. */
export interface FailureLimits {
  /** How long to wait before anything else is tried, milliseconds; 0 if there were not too many failures. */
  wait(id: string, address: string): number
  count(id: string, address: string): void
}

/** Creates the limits of failures. */
export function createFailureLimits({ failuresPerMinute }: ClientLimits): FailureLimits {
  const bucketsOf = (perMinute: number) =>
    createTokenBuckets({ perSecond: perMinute / 60, burst: perMinute, keysLimit })
  const ofClient = bucketsOf(failuresPerMinute)
  const ofAddress = bucketsOf(failuresPerMinute * addressShare)
  const clientKey = (id: string, address: string) =>
    JSON.stringify([id.slice(0, idLimit), addressKey(address)])
  return {
    wait: (id, address) =>
      Math.max(ofClient.wait(clientKey(id, address)), ofAddress.wait(addressKey(address))),
    count(id, address) {
      ofClient.take(clientKey(id, address))
      ofAddress.take(addressKey(address))
    },
  }
}

/** Creates an authenticator for the configured clients. */
export function createClientAuthenticator(
  clients: readonly ConfiguredClient[],
  assertions: AssertionVerifier,
  limits: ClientLimits,
): ClientAuthenticator {
  const secrets = createSecretVerifier()
  // In a line of their own: requests with invented client ids must not keep clients waiting.
  const strangers = createSecretVerifier()
  const failures = createFailureLimits(limits)
  const { requestsPerSecond } = limits
  const requests = createTokenBuckets({ perSecond: requestsPerSecond, burst: requestsPerSecond, keysLimit })
  const byId = new Map<string, ConfiguredClient[]>()
  for (const client of clients) byId.set(client.id, [...(byId.get(client.id) ?? []), client])

  const proves = async (presented: Presented, { id, issuer, proof }: ConfiguredClient): Promise<boolean> => {
    if (presented.method === 'secret' && proof.method === 'secret')
      return secrets.verify(`client ${id} ${issuer}`, presented.secret, proof.hash)
    if (presented.method === 'assertion' && proof.method === 'key')
      return assertions.verify(presented.assertion, proof.keys)
    return presented.method === 'none' && proof.method === 'none'
  }

  const provenBy = async (presented: Presented, id: string): Promise<readonly ConfiguredClient[]> => {
    const candidates = byId.get(id) ?? []
    if (presented.method === 'secret' && !candidates.some(({ proof }) => proof.method === 'secret'))
      await strangers.verify('', presented.secret, undefined)
    const proven: ConfiguredClient[] = []
    for (const client of candidates) if (await proves(presented, client)) proven.push(client)
    const isSpent =
      presented.method === 'assertion' && proven.length > 0 && !assertions.spend(presented.assertion)
    return isSpent ? [] : proven
  }

  return {
    async authenticate(presented, address) {
      const id = claimedClient(presented, assertions)
      if (id === undefined) return { refused: 'unauthenticated' }
      const waitMs = failures.wait(id, address)
      if (waitMs > 0) return { refused: 'limited', waitMs }
      const proven = await provenBy(presented, id)
      // Of guesses that come together too, one that is right after too many wrong ones tells nothing.
      const lateMs = presented.method === 'secret' ? failures.wait(id, address) : 0
      if (lateMs > 0) return { refused: 'limited', waitMs: lateMs }
      if (proven.length === 0) {
        failures.count(id, address)
        return { refused: 'unauthenticated' }
      }
      const isProven = presented.method !== 'none'
      // Anybody can use a public client's name: what he does must not count for others.
      const pauseMs = requests.take(isProven ? id : JSON.stringify([id, addressKey(address)]))
      if (pauseMs > 0) return { refused: 'limited', waitMs: pauseMs }
      return { client: { id, clients: proven, isProven } }
    },
  }
}

/**
 * The client that credentials are said to be of; undefined if they contradict each other. Of an assertion `client_id` may
 * repeat the name, but not differ (RFC 7521 section 4.2).
 */
export function claimedClient(
  presented: Presented,
  assertions: Pick<AssertionVerifier, 'clientOf'>,
): string | undefined {
  if (presented.method !== 'assertion') return presented.id
  const id = assertions.clientOf(presented.assertion)
  return presented.id === undefined || presented.id === id ? id : undefined
}
