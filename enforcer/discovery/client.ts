/**
 * The discovery client: a gRPC shell around a feed. It stays with one adapter as long as that answers, and goes on at the
 * next one otherwise.
 *
 * @module
 */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import type { Logger } from '../../runtime/logger.ts'
import type { Feed, FeedProtocol } from './feed.ts'
import type { Reaction } from './subscription.ts'

/** What a client needs. */
export interface DiscoveryClientOptions<Request, Response> {
  /** `host:port` of each adapter. */
  readonly adapters: readonly string[]
  readonly feed: Feed<Request, Response>
  readonly logger: Logger
  /** Called after each response. */
  readonly onReceived: () => void
}

/** A running client. */
export interface DiscoveryClient {
  /** Says goodbye, so that this enforcer no longer counts, and ends the stream. */
  close(): Promise<void>
}

const backoffFirstMs = 100
const backoffLimitMs = 5_000
const connectMs = 20_000

/** Starts to subscribe, and goes on until it is closed. */
export function startDiscoveryClient<Request, Response>(
  options: DiscoveryClientOptions<Request, Response>,
): DiscoveryClient {
  const { adapters, feed, logger } = options
  const { protocol } = feed
  const clients = adapters.map(address => createClient(address, protocol))
  let attempt = 0
  let failures = 0
  let stream: ClientDuplexStream<Request, Response> | undefined
  let retrying: NodeJS.Timeout | undefined
  let closed = false

  const retry = (address: string, reason: string) => {
    stream = undefined
    feed.closed(performance.now())
    if (closed) return
    const waitMs = Math.min(backoffLimitMs, backoffFirstMs * 2 ** failures++) * (0.5 + Math.random() / 2)
    if (failures > 1)
      logger.warn({ adapter: address, reason }, 'no discovery from this adapter; trying again')
    retrying = setTimeout(connect, waitMs)
  }

  const connect = () => {
    const address = adapters[attempt % adapters.length] as string
    const client = clients[attempt++ % adapters.length] as Client
    const opened: ClientDuplexStream<Request, Response> = client.makeBidiStreamRequest(
      protocol.path,
      protocol.encode,
      protocol.decode,
    )
    stream = opened
    const openedAtMs = performance.now()
    let reason = 'the stream ended'
    const silence = watchSilence(protocol, () => {
      reason = 'no heartbeat'
      opened.cancel()
    })
    const answers = new Set<NodeJS.Timeout>()
    const answer = ({ request, waitMs = 0 }: Reaction<Request>) => {
      if (request === undefined) return
      if (waitMs === 0) {
        opened.write(request)
        return
      }
      const timer = setTimeout(() => {
        answers.delete(timer)
        opened.write(request)
      }, waitMs)
      answers.add(timer)
    }
    /** The first part at once: adapters may wait for the answer. */
    const work = () => {
      if (stream !== opened) return
      const reaction = feed.work(performance.now(), Date.now() / 1000)
      if (reaction !== undefined) {
        answer(reaction)
        tell(reaction)
        options.onReceived()
      }
      if (feed.busy) setImmediate(work)
      else opened.resume()
    }
    opened.on('data', (response: Response) => {
      silence?.refresh()
      if (failures > 0) logger.info({ adapter: address }, 'discovery has resumed')
      failures = 0
      feed.connected(performance.now())
      opened.pause()
      feed.take(response)
      work()
    })
    opened.on('error', error => {
      if (reason === 'the stream ended') reason = error.message
    })
    // Not `close`: a stream that fails before anything was received never emits that.
    opened.on('status', () => {
      clearTimeout(silence)
      for (const timer of answers) clearTimeout(timer)
      // Where silence is no failure, a stream that has lived for a while was none.
      if (silence === undefined && performance.now() - openedAtMs > backoffLimitMs) failures = 0
      retry(address, reason)
    })
    const awaitConnection = () =>
      client.waitForReady(Date.now() + connectMs, error => {
        if (stream !== opened) return
        if (error === undefined) feed.connected(performance.now())
        else awaitConnection()
      })
    if (silence === undefined) awaitConnection()
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
      clearTimeout(retrying)
      await endStream(stream, feed.goodbye())
      for (const client of clients) client.close()
    },
  }
}

const createClient = <Request, Response>(address: string, protocol: FeedProtocol<Request, Response>) =>
  new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': protocol.responseBytesLimit,
    'grpc.keepalive_time_ms': protocol.keepaliveMs,
    'grpc.keepalive_timeout_ms': protocol.keepaliveTimeoutMs,
    'grpc.initial_reconnect_backoff_ms': backoffFirstMs,
    'grpc.max_reconnect_backoff_ms': backoffLimitMs,
  })

function watchSilence<Request, Response>(
  { silenceLimitMs }: FeedProtocol<Request, Response>,
  onSilent: () => void,
): NodeJS.Timeout | undefined {
  return silenceLimitMs === undefined ? undefined : setTimeout(onSilent, silenceLimitMs)
}

function endStream<Request, Response>(
  stream: ClientDuplexStream<Request, Response> | undefined,
  goodbye: Request | undefined,
): Promise<void> {
  if (stream === undefined) return Promise.resolve()
  return new Promise(done => {
    const limit = setTimeout(() => stream.cancel(), 1_000)
    stream.on('status', () => {
      clearTimeout(limit)
      done()
    })
    if (goodbye !== undefined) stream.write(goodbye)
    stream.end()
    // What is still received is not worked on any more, but the stream's end comes behind it.
    stream.resume()
  })
}
