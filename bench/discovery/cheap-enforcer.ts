/**
 * An enforcer as far as an adapter can tell, on a connection of its own, that keeps no table: it ACKs, and notes when each
 * version came. Over bare HTTP/2, so that one process can be a thousand of them.
 *
 * @module
 */
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import {
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
  revocationBatchCodec,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import { packedEntryBytes } from '../../revocation/entries.ts'
import { clockMs } from '../load/clock.ts'
import { createFrameReader, grpcFrame } from '../load/grpc-frames.ts'
import { digestAt, generatedEpoch } from './generated-log.ts'

/** What it says and whom it tells. */
export interface CheapEnforcerOptions {
  readonly adapterPort: number
  readonly instance: string
  /** The version that it says it holds: only what comes after it is sent. */
  readonly version: number
  readonly read: MessageReader
  onEnd(reason: string): void
}

/** One of them. */
export interface CheapEnforcer {
  /** The version that it has; undefined before anything was received. */
  readonly version: number | undefined
  /** Each version that it came to and when, see `clockMs`. */
  readonly arrivals: readonly Arrival[]
  /** Entries that it received. */
  readonly entries: number
  readonly messages: number
  /** Bytes of its connection, both ways: HTTP/2 with all that belongs to it. */
  readonly bytes: number
}

/** A version that was reached. */
export interface Arrival {
  readonly version: number
  readonly atMs: number
}

/** What a message says, and the ACK to it, framed; heartbeats get none. */
interface Message {
  readonly to: number
  readonly entries: number
  readonly ack: Buffer | undefined
}

/** Reads messages. */
export type MessageReader = (bytes: Buffer) => Message

/** A reader that remembers the last message: most streams get the same bytes one after the other. */
export const createMessageReader = (): MessageReader => {
  let last: { readonly bytes: Buffer; readonly message: Message } | undefined
  return bytes => {
    if (!last?.bytes.equals(bytes)) last = { bytes: Buffer.from(bytes), message: decode(bytes) }
    return last.message
  }
}

const decode = (bytes: Buffer): Message => {
  const { nonce, resources } = deltaResponseCodec.decode(bytes)
  const value = resources[0]?.resource?.value as Buffer | undefined
  const batch = value === undefined ? undefined : revocationBatchCodec.decode(value)
  return {
    to: batch?.to ?? 0,
    entries: (batch?.entries.length ?? 0) / packedEntryBytes,
    ack: nonce === '' ? undefined : frameOf({ responseNonce: nonce }),
  }
}

const frameOf = (request: Parameters<typeof deltaRequestCodec.encode>[0]): Buffer =>
  grpcFrame(deltaRequestCodec.encode({ typeUrl: revocationBatchTypeUrl, ...request }))

/** Connects and subscribes. */
export const startCheapEnforcer = (options: CheapEnforcerOptions): CheapEnforcer => {
  const { adapterPort, instance, version, read, onEnd } = options
  const socket = connect(adapterPort, '127.0.0.1')
  const session = connectHttp2(`http://127.0.0.1:${adapterPort}`, { createConnection: () => socket })
  const stream = session.request({
    ':method': 'POST',
    ':path': deltaTokensPath,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const arrivals: Arrival[] = []
  let [entries, messages] = [0, 0]
  const take = (bytes: Buffer) => {
    const message = read(bytes)
    messages += 1
    entries += message.entries
    if (message.to > (arrivals.at(-1)?.version ?? 0)) arrivals.push({ version: message.to, atMs: clockMs() })
    if (message.ack !== undefined) stream.write(message.ack)
  }
  stream.on('data', createFrameReader(take))
  session.on('error', error => onEnd(error.message))
  stream.on('error', error => onEnd(error.message))
  stream.on('close', () => onEnd('the adapter has ended the stream'))
  stream.write(
    frameOf({
      node: { id: 'bench', metadata: { fields: { instanceIdentifier: { stringValue: instance } } } },
      resourceNamesSubscribe: ['*'],
      initialResourceVersions: { [generatedEpoch]: `${version}/${digestText(version)}` },
    }),
  )
  return {
    get version() {
      return arrivals.at(-1)?.version
    },
    arrivals,
    get entries() {
      return entries
    },
    get messages() {
      return messages
    },
    get bytes() {
      return socket.bytesRead + socket.bytesWritten
    },
  }
}

const digestText = (version: number): string => digestAt(version).toString(16).padStart(16, '0')
