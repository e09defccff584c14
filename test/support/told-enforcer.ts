/**
 * An enforcer's side of discovery that does as it is told: it takes what it is sent, keeps silent, or refuses it. For
 * fleets in which not all is well.
 *
 * @module
 */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'

/** Who connects, and what it does. */
export interface ToldEnforcerOptions {
  readonly instance: string
  readonly label?: string
  /** Default `takes`. */
  readonly does?: 'takes' | 'keeps silent' | 'refuses'
  /** Why it refuses. */
  readonly reason?: string
}

/** A connected enforcer. */
export interface ToldEnforcer {
  /** What it does with the next message. */
  does: 'takes' | 'keeps silent' | 'refuses'
  /** Takes what it was sent while it kept silent. */
  catchUp(): void
  /** Closes the stream; with a goodbye it is forgotten at once. */
  leave(options?: { readonly goodbye?: boolean }): void
}

/** Connects to the adapter at 127.0.0.1:`port`. */
export function connectToldEnforcer(port: number, options: ToldEnforcerOptions): ToldEnforcer {
  const { instance, label = 'commonEnforcerLabel', reason = 'no' } = options
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  })
  const stream: ClientDuplexStream<DeltaRequest, DeltaResponseMessage> = client.makeBidiStreamRequest(
    deltaTokensPath,
    deltaRequestCodec.encode,
    deltaResponseCodec.decode,
  )
  let unanswered: string[] = []
  const take = (nonce: string) => stream.write({ responseNonce: nonce })
  const self: ToldEnforcer = {
    does: options.does ?? 'takes',
    catchUp: () => unanswered.splice(0).forEach(take),
    leave({ goodbye = false } = {}) {
      if (goodbye) stream.write({ resourceNamesUnsubscribe: ['*'] })
      stream.end()
      client.close()
    },
  }
  stream.on('error', () => undefined)
  stream.on('data', ({ nonce }: DeltaResponseMessage) => {
    if (nonce === '') return
    if (self.does === 'takes') take(nonce)
    else if (self.does === 'keeps silent') unanswered.push(nonce)
    else {
      unanswered = []
      stream.write({ responseNonce: nonce, errorDetail: { code: 3, message: reason } })
    }
  })
  stream.write({
    typeUrl: revocationBatchTypeUrl,
    node: { id: label, metadata: { fields: { instanceIdentifier: { stringValue: instance } } } },
  })
  return self
}
