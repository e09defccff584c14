/**
 * Serves discovery as the adapter of WSO2 Choreo Connect does, to see that an enforcer of ours can live with it:
 *
 * - what it holds is the latest update alone, under a random number as version; a refill is one message of everything;
 * - a stream gets what is held when it names another version, and then what comes; but nothing before it has ACKed the
 *   last message, so that updates in between are lost;
 * - a NACK names an earlier version, so that the same is sent again at once;
 * - streams of labels that it does not know get nothing.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import {
  revokedTokenCodec,
  revokedTokenTypeUrl,
  type SotwRequestMessage,
  sotwRequestCodec,
  sotwResponseCodec,
  streamTokensPath,
} from '../../proto/wire.ts'
import { until } from './condition.ts'

/** A token as it is published. */
export interface PublishedToken {
  readonly jti: string
  /** Milliseconds; not sent if not given. */
  readonly expirytime?: number
}

/** A running adapter on 127.0.0.1. */
export interface ChoreoConnectAdapter {
  readonly port: number
  /** Streams that are open. */
  readonly streams: number
  /** Requests that answered a response. */
  readonly answers: readonly SotwRequestMessage[]
  /** Makes tokens the latest update; resolves when an enforcer has ACKed it. */
  publish(...tokens: readonly PublishedToken[]): Promise<void>
  /** Makes something that is no token the latest update. */
  publishGarbage(): void
  /** Ends the streams with UNAVAILABLE. */
  breakStreams(): void
  stop(): Promise<void>
}

type Stream = ServerDuplexStream<SotwRequestMessage, Buffer>
type Resource = { readonly type_url: string; readonly value: Buffer }

const definition = {
  StreamTokens: {
    path: streamTokensPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: sotwRequestCodec.encode,
    requestDeserialize: sotwRequestCodec.decode,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} satisfies ServiceDefinition

const knownLabel = 'commonEnforcerLabel'

/** Starts an adapter that holds nothing; `port` 0 is any. */
export async function startChoreoConnectAdapter(port = 0): Promise<ChoreoConnectAdapter> {
  const answers: SotwRequestMessage[] = []
  /** Streams with the nonce of their last message, and whether they wait for the next. */
  const streams = new Map<Stream, { label: string; nonce: string; waits: boolean }>()
  let held: { readonly version: string; readonly resources: readonly Resource[] } | undefined
  let nonces = 0

  const respond = (stream: Stream) => {
    const state = streams.get(stream)
    if (state === undefined || held === undefined) return
    state.nonce = String(++nonces)
    state.waits = false
    const { version: versionInfo, resources } = held
    stream.write(
      sotwResponseCodec.encode({
        versionInfo,
        typeUrl: revokedTokenTypeUrl,
        nonce: state.nonce,
        resources: [...resources],
      }),
    )
  }
  const receive = (stream: Stream, request: SotwRequestMessage) => {
    const state = streams.get(stream)
    if (state === undefined) return
    if (state.label === '') state.label = request.node?.id ?? ''
    if (request.responseNonce !== '') answers.push(request)
    if (state.label !== knownLabel || request.responseNonce !== state.nonce) return
    state.waits = true
    if (held !== undefined && request.versionInfo !== held.version) respond(stream)
  }
  const update = (resources: readonly Resource[]): string => {
    held = { version: String(randomInt(2 ** 31)), resources }
    for (const [stream, { waits }] of streams) if (waits) respond(stream)
    return held.version
  }

  const server = new Server()
  server.addService(definition, {
    StreamTokens: (stream: Stream) => {
      streams.set(stream, { label: '', nonce: '', waits: false })
      stream.on('data', (request: SotwRequestMessage) => receive(stream, request))
      stream.on('end', () => stream.end())
      for (const event of ['cancelled', 'error', 'close', 'finish'])
        stream.on(event, () => streams.delete(stream))
    },
  })
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    )
  })
  return {
    port: bound,
    answers,
    get streams() {
      return streams.size
    },
    publish: async (...tokens) => {
      const version = update(
        tokens.map(token => ({ type_url: revokedTokenTypeUrl, value: revokedTokenCodec.encode(token) })),
      )
      const isAcked = (answer: SotwRequestMessage) =>
        answer.versionInfo === version && answer.errorDetail === null
      await until('the update is ACKed', () => answers.some(isAcked))
    },
    publishGarbage: () => {
      update([{ type_url: revokedTokenTypeUrl, value: Buffer.from([10, 200]) }])
    },
    breakStreams: () => {
      for (const stream of streams.keys())
        stream.emit('error', { code: status.UNAVAILABLE, details: 'broken by the test' })
    },
    stop: async () => server.forceShutdown(),
  }
}
