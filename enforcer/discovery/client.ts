/**
 * The discovery client: ties the subscription to streams. It stays with one adapter as long as that answers, and goes on
 * at the next one otherwise.
 *
 * @module
 */
import type { DeltaRequest, DeltaResponseMessage } from '../../proto/wire.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type ClientStream, createGrpcStreams, type DiscoveryTransport } from './grpc-streams.ts'
import type { Subscription } from './subscription.ts'

/** What a client needs. */
export interface DiscoveryClientOptions {
  /** `host:port` of each adapter. */
  readonly adapters: readonly string[]
  readonly subscription: Subscription
  readonly logger: Logger
  /** Called after each response. */
  readonly onReceived: () => void
  /** Default: gRPC. */
  readonly transport?: DiscoveryTransport
  /** Default: this machine's. */
  readonly clock?: Clock
  /** 0 to 1; default Math.random. */
  readonly random?: () => number
}

/** A running client. */
export interface DiscoveryClient {
  /** Says goodbye, so that this enforcer no longer counts, and ends the stream. */
  close(): Promise<void>
}

/** An adapter sends a heartbeat each second. */
const silenceLimitMs = 5_000
const backoff = { firstMs: 100, limitMs: 5_000 } as const
const goodbyeMs = 1_000

/** Starts to subscribe, and goes on until it is closed. */
export function startDiscoveryClient(options: DiscoveryClientOptions): DiscoveryClient {
  const { adapters, subscription, logger, clock = systemClock, random = Math.random } = options
  const transport = options.transport ?? createGrpcStreams(adapters, backoff)
  let attempt = 0
  let failures = 0
  let stream: ClientStream | undefined
  let stopRetry: () => void = () => undefined
  let closed = false

  const retry = (address: string, reason: string) => {
    stream = undefined
    if (closed) return
    const waitMs = Math.min(backoff.limitMs, backoff.firstMs * 2 ** failures++) * (0.5 + random() / 2)
    if (failures > 1)
      logger.warn({ adapter: address, reason }, 'no discovery from this adapter; trying again')
    stopRetry = clock.after(waitMs, connect)
  }

  const connect = () => {
    const address = adapters[attempt++ % adapters.length] as string
    const opened = transport.open(address)
    stream = opened
    let reason = 'the stream ended'
    const onSilence = () => {
      reason = 'no heartbeat'
      opened.cancel()
    }
    let stopSilence = clock.after(silenceLimitMs, onSilence)
    opened.on('data', (response: DeltaResponseMessage) => {
      stopSilence()
      stopSilence = clock.after(silenceLimitMs, onSilence)
      if (failures > 0) logger.info({ adapter: address }, 'discovery has resumed')
      failures = 0
      take(response, opened)
    })
    opened.on('error', error => {
      if (reason === 'the stream ended') reason = error.message
    })
    // Not `close`: a stream that fails before anything was received never emits that.
    opened.on('status', () => {
      stopSilence()
      retry(address, reason)
    })
    opened.write(subscription.open())
  }

  const take = (response: DeltaResponseMessage, opened: ClientStream) => {
    const { request, received, problem } = subscription.receive(
      response,
      clock.monotonicMs(),
      clock.wallMs() / 1000,
    )
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
      stopRetry()
      if (stream !== undefined) await endStream(stream, subscription.goodbye(), clock)
      transport.close()
    },
  }
}

function endStream(stream: ClientStream, goodbye: DeltaRequest, clock: Clock): Promise<void> {
  return new Promise(done => {
    const stopWaiting = clock.after(goodbyeMs, () => stream.cancel())
    stream.on('status', () => {
      stopWaiting()
      done()
    })
    stream.write(goodbye)
    stream.end()
  })
}
