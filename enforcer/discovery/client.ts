/**
 * The discovery client: ties a feed to streams. It stays with one adapter as long as that answers, and goes on at the
 * next one otherwise.
 *
 * @module
 */
import { type Clock, systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ClientStream, DiscoveryTransport } from './client-stream.ts'
import type { Feed, Reaction } from './feed.ts'

/** What a client needs. */
export interface DiscoveryClientOptions<Request, Response> {
  /** `host:port` of each adapter. */
  readonly adapters: readonly string[]
  readonly feed: Feed<Request, Response>
  readonly transport: DiscoveryTransport<Request, Response>
  readonly logger: Logger
  /** Called after each response. */
  readonly onReceived: () => void
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

/** Times between streams, and between attempts to connect. */
export const discoveryBackoff = { firstMs: 100, limitMs: 5_000 } as const

const goodbyeMs = 1_000
const noHeartbeat = 'no heartbeat'

/** Starts to subscribe, and goes on until it is closed. */
export function startDiscoveryClient<Request, Response>(
  options: DiscoveryClientOptions<Request, Response>,
): DiscoveryClient {
  const { adapters, feed, transport, logger, clock = systemClock, random = Math.random } = options
  const { firstMs, limitMs } = discoveryBackoff
  let attempt = 0
  let failures = 0
  let stream: ClientStream<Request, Response> | undefined
  let stopRetry: () => void = () => undefined
  let closed = false

  const retry = (address: string, reason: string) => {
    stream = undefined
    feed.closed(clock.monotonicMs())
    if (closed) return
    const waitMs = Math.min(limitMs, firstMs * 2 ** failures++) * (0.5 + random() / 2)
    if (failures > 1 || reason === noHeartbeat)
      logger.warn({ adapter: address, reason }, 'no discovery from this adapter; trying again')
    stopRetry = clock.after(waitMs, connect)
  }

  const connect = () => {
    const address = adapters[attempt++ % adapters.length] as string
    const opened = transport.open(address, () => feed.connected(clock.monotonicMs()))
    stream = opened
    const openedAtMs = clock.monotonicMs()
    const answers = createAnswers(opened, clock)
    let reason = 'the stream ended'
    const silence = watchSilence(feed.protocol.silenceLimitMs, clock, () => {
      reason = noHeartbeat
      opened.cancel()
    })
    /** An adapter from which nothing can be taken whole is no better than one that does not answer. */
    const resumed = () => {
      if (failures > 0) logger.info({ adapter: address }, 'discovery has resumed')
      failures = 0
    }
    /** The first part at once: adapters may wait for the answer. */
    const work = () => {
      if (stream !== opened) return
      const reaction = feed.work(clock.monotonicMs(), clock.wallMs() / 1000)
      if (reaction !== undefined) {
        if (reaction.isCurrent) resumed()
        answers.give(reaction)
        tell(reaction)
        options.onReceived()
      }
      if (feed.busy) {
        clock.after(0, work)
        return
      }
      silence?.refresh()
      opened.resume()
    }
    opened.on('data', response => {
      // As long as nothing is read, nothing comes.
      silence?.stop()
      feed.connected(clock.monotonicMs())
      opened.pause()
      feed.take(response)
      work()
    })
    opened.on('error', error => {
      if (reason === 'the stream ended') reason = transport.reasonOf(error)
    })
    // Not `close`: a stream that fails before anything was received never emits that.
    opened.on('status', () => {
      silence?.stop()
      answers.stop()
      // Where silence is no failure, a stream that has lived for a while was none.
      if (silence === undefined && clock.monotonicMs() - openedAtMs > limitMs) failures = 0
      retry(address, reason)
    })
    opened.write(feed.open())
  }

  const tell = ({ received, problem }: Reaction<Request>) => {
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
  }

  connect()
  return {
    close: async () => {
      closed = true
      stopRetry()
      if (stream !== undefined) await endStream(stream, feed.goodbye(), clock)
    },
  }
}

/** Answers that may have to wait; those that wait go with their stream. */
function createAnswers<Request>(stream: Pick<ClientStream<Request, never>, 'write'>, clock: Clock) {
  const waiting = new Set<() => void>()
  return {
    give: ({ request, waitMs = 0 }: Reaction<Request>) => {
      if (request === undefined) return
      if (waitMs === 0) {
        stream.write(request)
        return
      }
      const stop = clock.after(waitMs, () => {
        waiting.delete(stop)
        stream.write(request)
      })
      waiting.add(stop)
    },
    stop: () => {
      for (const stop of waiting) stop()
    },
  }
}

/** Calls back when nothing came for so long; undefined if there may be nothing to say. */
function watchSilence(limitMs: number | undefined, clock: Clock, onSilent: () => void) {
  if (limitMs === undefined) return undefined
  let stop = clock.after(limitMs, onSilent)
  return {
    refresh: () => {
      stop()
      stop = clock.after(limitMs, onSilent)
    },
    stop: () => stop(),
  }
}

function endStream<Request, Response>(
  stream: ClientStream<Request, Response>,
  goodbye: Request | undefined,
  clock: Clock,
): Promise<void> {
  return new Promise(done => {
    const stopWaiting = clock.after(goodbyeMs, () => stream.cancel())
    stream.on('status', () => {
      stopWaiting()
      done()
    })
    if (goodbye !== undefined) stream.write(goodbye)
    stream.end()
    // What is still received is not worked on any more, but the stream's end comes behind it.
    stream.resume()
  })
}
