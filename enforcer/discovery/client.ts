/**
 * The discovery client: a gRPC shell around the subscription. It stays with one adapter as long as that answers, and
 * goes on at the next one otherwise. Each stream has a connection of its own.
 *
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
} from '../../proto/wire.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type DiscoveryTls, failureReason, openChannel } from './channel.ts'
import type { Reaction, Subscription } from './subscription.ts'

/** What a client needs. */
export interface DiscoveryClientOptions {
  /** `host:port` of each adapter. */
  readonly adapters: readonly string[]
  /** Undefined: not encrypted. */
  readonly discoveryTls?: DiscoveryTls | undefined
  readonly subscription: Subscription
  readonly logger: Logger
  /** Called after each response. */
  readonly onReceived: () => void
}

/** A running client. */
export interface DiscoveryClient {
  /** Says goodbye, so that this enforcer no longer counts, and ends the stream. */
  close(): Promise<void>
}

type Stream = ClientDuplexStream<DeltaRequest, DeltaResponseMessage>

/** An adapter sends a heartbeat each second. */
const silenceLimitMs = 5_000
const backoffFirstMs = 100
const backoffLimitMs = 5_000

/** Starts to subscribe, and goes on until it is closed. */
export function startDiscoveryClient(options: DiscoveryClientOptions): DiscoveryClient {
  const { adapters, discoveryTls, subscription, logger } = options
  let attempt = 0
  let failures = 0
  let stream: Stream | undefined
  let retrying: NodeJS.Timeout | undefined
  let closed = false

  const retry = (address: string, reason: string) => {
    stream = undefined
    if (closed) return
    const waitMs = Math.min(backoffLimitMs, backoffFirstMs * 2 ** failures++) * (0.5 + Math.random() / 2)
    if (failures > 1)
      logger.warn({ adapter: address, reason }, 'no discovery from this adapter; trying again')
    retrying = setTimeout(connect, waitMs)
  }

  const connect = () => {
    const address = adapters[attempt % adapters.length] as string
    attempt++
    const channel = openChannel(address, discoveryTls, { backoffFirstMs, backoffLimitMs })
    const opened: Stream = channel.makeBidiStreamRequest(
      deltaTokensPath,
      deltaRequestCodec.encode,
      deltaResponseCodec.decode,
    )
    stream = opened
    let reason = 'the stream ended'
    const silence = setTimeout(() => {
      reason = 'no heartbeat'
      opened.cancel()
    }, silenceLimitMs)
    opened.on('data', (response: DeltaResponseMessage) => {
      silence.refresh()
      if (failures > 0) logger.info({ adapter: address }, 'discovery has resumed')
      failures = 0
      opened.pause()
      take(response, opened).catch(error => {
        logger.error({ err: error }, 'a response of an adapter could not be handled')
        opened.cancel()
      })
    })
    opened.on('error', error => {
      if (reason === 'the stream ended') reason = failureReason(error.message, discoveryTls)
    })
    // Not `close`: a stream that fails before anything was received never emits that.
    opened.on('status', () => {
      clearTimeout(silence)
      channel.close()
      retry(address, reason)
    })
    opened.write(subscription.open())
  }

  /** One response at a time, in slices: checks are answered in between. */
  const take = async (response: DeltaResponseMessage, opened: Stream) => {
    const steps = subscription.receive(response, performance.now(), Date.now() / 1000)
    let step = steps.next()
    while (!step.done) {
      await nextTurn()
      if (stream !== opened) return
      step = steps.next()
    }
    report(step.value, opened)
    opened.resume()
  }

  const report = ({ request, received, problem }: Reaction, opened: Stream) => {
    if (request !== undefined) opened.write(request)
    if (problem !== undefined) logger.error({ problem }, 'a batch of revocations was refused')
    if (received?.rolledBack) {
      logger.error(
        { version: received.version },
        'the event log had lost what this enforcer knew; all of it is kept',
      )
    }
    if (received !== undefined) {
      logger.info(
        { version: received.version, entries: received.entries, full: received.isFull },
        `Revoked token event received with version : ${received.version}`,
      )
    }
    options.onReceived()
  }

  connect()
  return {
    close: async () => {
      closed = true
      clearTimeout(retrying)
      await endStream(stream, subscription.goodbye())
    },
  }
}

function endStream(stream: Stream | undefined, goodbye: DeltaRequest): Promise<void> {
  if (stream === undefined) return Promise.resolve()
  return new Promise(done => {
    const limit = setTimeout(() => stream.cancel(), 1_000)
    stream.on('status', () => {
      clearTimeout(limit)
      done()
    })
    stream.write(goodbye)
    stream.end()
  })
}
