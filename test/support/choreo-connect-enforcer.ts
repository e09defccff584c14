/**
 * Subscribes as the enforcer of WSO2 Choreo Connect does, to see that it misses nothing:
 *
 * - its first request on a stream carries the last version that it accepted and no nonce; it names no resources;
 * - an ACK carries version and nonce of the response, a NACK the last accepted version, the nonce and why;
 * - it takes messages of up to 4 MiB, and only ever adds tokens;
 * - after an error it opens a stream after a while, then again and again after a longer one; requests go to the stream
 *   that was opened last, also those which answer what came on another;
 * - a stream that ended with OK is never opened again.
 *
 * @module
 */
import { Client, type ClientDuplexStream, credentials, status } from '@grpc/grpc-js'
import {
  revokedTokenCodec,
  revokedTokenTypeUrl,
  type SotwRequest,
  type SotwResponseMessage,
  sotwRequestCodec,
  sotwResponseCodec,
  streamTokensPath,
} from '../../proto/wire.ts'

/** How it differs from the one that is shipped. */
export interface ChoreoConnectEnforcerOptions {
  /** Milliseconds until it opens a stream again; as shipped 1,000. */
  readonly firstRetryMs?: number
  /** The same after another error; as shipped 15,000. */
  readonly laterRetryMs?: number
  /** It refuses everything. */
  readonly refuses?: boolean
  /** As `node.metadata.instanceIdentifier` in its requests. */
  readonly instance?: object
}

/** A running enforcer. */
export interface ChoreoConnectEnforcer {
  /** When each jti expires, milliseconds. */
  readonly tokens: ReadonlyMap<string, number>
  /** Messages that were received. */
  readonly pushes: number
  /** Streams on which something was received. */
  readonly streams: number
  /** How streams ended, in order. */
  readonly ends: readonly { readonly code: status; readonly details: string }[]
  /** Opens one more stream on the same connection; the first stays open. */
  openAnother(): void
  close(): void
}

type Stream = ClientDuplexStream<SotwRequest, SotwResponseMessage>

/** google.rpc.Code of a NACK: INTERNAL. */
const nackCode = 13

/** Starts to subscribe. */
export function startChoreoConnectEnforcer(
  port: number,
  options: ChoreoConnectEnforcerOptions = {},
): ChoreoConnectEnforcer {
  const { firstRetryMs = 1_000, laterRetryMs = 15_000, refuses = false } = options
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  })
  const node = {
    id: 'commonEnforcerLabel',
    metadata: { fields: { instanceIdentifier: options.instance ?? { stringValue: 'choreo-connect' } } },
  }
  const tokens = new Map<string, number>()
  const ends: { code: status; details: string }[] = []
  const open = new Set<Stream>()
  let current: Stream | undefined
  let ackedVersion = ''
  let errorsInRow = 0
  let retrying: NodeJS.Timeout | undefined
  let closed = false
  let pushes = 0
  let streams = 0

  const answer = ({ versionInfo, nonce }: SotwResponseMessage) => {
    const common = { node, typeUrl: revokedTokenTypeUrl, responseNonce: nonce }
    if (!refuses) ackedVersion = versionInfo
    const errorDetail = { code: nackCode, message: 'refused by the test' }
    current?.write({ ...common, versionInfo: ackedVersion, ...(refuses ? { errorDetail } : {}) })
  }
  const subscribe = () => {
    const stream: Stream = client.makeBidiStreamRequest(
      streamTokensPath,
      sotwRequestCodec.encode,
      sotwResponseCodec.decode,
    )
    let isFirst = true
    current = stream
    open.add(stream)
    stream.on('data', (response: SotwResponseMessage) => {
      if (isFirst) streams += 1
      isFirst = false
      errorsInRow = 0
      pushes += 1
      if (!refuses) for (const { jti, expirytime } of tokensIn(response)) tokens.set(jti, expirytime)
      answer(response)
    })
    stream.on('error', () => undefined)
    stream.on('status', ({ code, details }) => {
      open.delete(stream)
      ends.push({ code, details })
      if (closed || code === status.OK || retrying !== undefined) return
      retrying = setTimeout(
        () => {
          retrying = undefined
          subscribe()
        },
        errorsInRow++ === 0 ? firstRetryMs : laterRetryMs,
      )
    })
    stream.write({ node, typeUrl: revokedTokenTypeUrl, versionInfo: ackedVersion })
  }
  subscribe()
  return {
    tokens,
    ends,
    get pushes() {
      return pushes
    },
    get streams() {
      return streams
    },
    openAnother: subscribe,
    close: () => {
      closed = true
      clearTimeout(retrying)
      for (const stream of open) stream.cancel()
      client.close()
    },
  }
}

/** The tokens in a response; it throws where the shipped one would not understand it. */
export function tokensIn(response: SotwResponseMessage) {
  if (response.typeUrl !== revokedTokenTypeUrl) throw new Error(`type_url ${response.typeUrl}`)
  return response.resources.map(({ type_url, value }) => {
    if (type_url !== revokedTokenTypeUrl) throw new Error(`a resource of type ${type_url}`)
    return revokedTokenCodec.decode(value)
  })
}
