/**
 * An enforcer's side of Choreo Connect's protocol as a state machine: responses in, table changes and requests out. No I/O.
 *
 * Such an adapter sends only what is new, once: tokens are only ever added. Its versions are random numbers, its silence
 * means nothing, and it says neither when it has sent everything nor how long tokens live.
 *
 * @module
 */
import {
  revokedTokenTypeUrl,
  type SotwRequest,
  sotwRequestCodec,
  streamTokensPath,
} from '../../proto/wire.ts'
import { createClaimSet } from '../../revocation/claim-set.ts'
import { RescindError } from '../../revocation/error.ts'
import { matchKey } from '../../revocation/key.ts'
import { latestSeconds, secondsUp } from '../../revocation/time.ts'
import { printable } from '../../runtime/printable.ts'
import type { Feed, FeedProtocol, Reaction } from './feed.ts'
import { invalidBatch } from './received-batch.ts'
import { createSnapshot } from './snapshot.ts'
import { readSotwResponse, type SentToken, type SotwResponse } from './sotw-response.ts'

/** Who subscribes, and what the adapter does not say. */
export interface SotwSubscriptionOptions {
  readonly label: string
  readonly instance: string
  /** Entries beyond which the enforcer is not ready. */
  readonly revocationsLimit: number
  /** For so long a stream must have been open before the enforcer counts as complete. */
  readonly readyAfterMs: number
  /** Tolerance for exp, seconds. */
  readonly clockToleranceSeconds: number
  /** Longest exp - iat, seconds. */
  readonly maxTokenLifetimeSeconds: number
}

const protocol: FeedProtocol<SotwRequest, Buffer> = {
  path: streamTokensPath,
  encode: sotwRequestCodec.encode,
  decode: bytes => bytes,
  responseBytesLimit: 64 * 2 ** 20,
  // Servers of grpc-go close a connection that is asked more often than every five minutes.
  keepaliveMs: 305_000,
  keepaliveTimeoutMs: 20_000,
}

/** google.rpc.Code of a NACK. */
const invalidArgument = 3
/** Tokens that are stored in one step. */
const sliceTokens = 500
const versionTextLimit = 64
const nackFirstMs = 1_000
const nackLimitMs = 30_000

/** A response that is being applied. */
interface Reading {
  readonly response: SotwResponse
  entries: number
  /** What was wrong first; what was not is applied all the same. */
  problem: string | undefined
}

/** Creates the subscription of an enforcer. */
export function createSotwSubscription(options: SotwSubscriptionOptions): Feed<SotwRequest, Buffer> {
  const { maxTokenLifetimeSeconds } = options
  const snapshot = createSnapshot()
  snapshot.claimSets = [createClaimSet(['jti'], false)]
  snapshot.toleranceSeconds = options.clockToleranceSeconds
  snapshot.lifetimes = { seconds: maxTokenLifetimeSeconds, earlier: [] }
  const node = {
    id: options.label,
    metadata: { fields: { instanceIdentifier: { stringValue: options.instance } } },
  }
  let waiting: Buffer[] = []
  let reading: Reading | undefined
  let ackedVersion = ''
  let lastNonce = ''
  let refusals = 0
  let openSinceMs: number | undefined
  let brokeAtMs = Number.NEGATIVE_INFINITY
  let complete = false

  const request = (fields: SotwRequest): SotwRequest => ({
    node,
    typeUrl: revokedTokenTypeUrl,
    versionInfo: ackedVersion,
    ...fields,
  })

  const refuse = (problem: string): Reaction<SotwRequest> => {
    reading = undefined
    // Such an adapter sends the same again at once: only the first refusal is told at once.
    const waitMs = refusals === 0 ? 0 : Math.min(nackLimitMs, nackFirstMs * 2 ** (refusals - 1))
    refusals += 1
    const errorDetail = { code: invalidArgument, message: problem }
    return { request: request({ responseNonce: lastNonce, errorDetail }), problem, waitMs }
  }

  const begin = (bytes: Buffer | undefined): Reading | undefined => {
    if (bytes === undefined) return undefined
    const response = readSotwResponse(bytes)
    lastNonce = response.nonce
    return { response, entries: 0, problem: undefined }
  }

  /** A token without an expiry that lies ahead is kept as long as any token can live. */
  const store = ({ jti, expiresAtMs }: SentToken, nowSeconds: number) => {
    if (jti === '') throw invalidBatch('a token without jti')
    const { key } = matchKey({ jti }, false)
    const saidSeconds = secondsUp(expiresAtMs / 1_000)
    const expiresAt = saidSeconds > nowSeconds ? saidSeconds : secondsUp(nowSeconds + maxTokenLifetimeSeconds)
    const word = (at: number) => key.readUInt32LE(at)
    snapshot.table.raise(word(0), word(4), word(8), word(12), expiresAt, latestSeconds)
  }

  /** @returns false when all tokens are stored. */
  const storeNext = (of: Reading, nowSeconds: number): boolean => {
    try {
      const token = of.response.next()
      if (token === undefined) return false
      store(token, nowSeconds)
      of.entries += 1
    } catch (error) {
      if (!(error instanceof RescindError)) throw error
      of.problem ??= error.message
    }
    return true
  }

  const finish = ({ response, entries, problem }: Reading): Reaction<SotwRequest> => {
    if (problem !== undefined) return refuse(problem)
    reading = undefined
    refusals = 0
    ackedVersion = response.version
    const version = printable(response.version.slice(0, versionTextLimit))
    return {
      request: request({ responseNonce: response.nonce }),
      isCurrent: true,
      received: { version, entries, isFull: false, rolledBack: false },
    }
  }

  const storeSlice = (of: Reading, nowSeconds: number): Reaction<SotwRequest> | undefined => {
    for (let stored = 0; stored < sliceTokens; stored++) {
      if (!storeNext(of, nowSeconds)) return finish(of)
    }
    return undefined
  }

  return {
    protocol,
    snapshot,
    open: () => {
      waiting = []
      reading = undefined
      lastNonce = ''
      return request({})
    },
    connected: nowMs => {
      openSinceMs ??= nowMs
    },
    closed: nowMs => {
      if (openSinceMs !== undefined) brokeAtMs = nowMs
      openSinceMs = undefined
    },
    goodbye: () => undefined,
    take: bytes => {
      waiting.push(bytes)
    },
    get busy() {
      return reading !== undefined || waiting.length > 0
    },
    work: (_, nowSeconds) => {
      try {
        reading ??= begin(waiting.shift())
        return reading === undefined ? undefined : storeSlice(reading, nowSeconds)
      } catch (error) {
        if (!(error instanceof RescindError)) throw error
        return refuse(error.message)
      }
    },
    stalenessMs: nowMs => (openSinceMs === undefined ? nowMs - brokeAtMs : 0),
    notReadyReasons: nowMs => {
      complete ||= openSinceMs !== undefined && nowMs - openSinceMs >= options.readyAfterMs
      if (!complete) return ['the stream of revocations has not been open for enforcer.discovery.readyAfter']
      const { size } = snapshot.table
      if (size <= options.revocationsLimit) return []
      return [`enforcer.maxRevocations (${options.revocationsLimit}) is passed: ${size}`]
    },
  }
}
