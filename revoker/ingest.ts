/**
 * The way of a foreign message into the log: read, published until it is stored, counted; or a dead letter.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Counter, type Registry } from 'prom-client'
import { RescindError } from '../revocation/error.ts'
import { type ForeignRevocation, foreignId } from '../revocation/formats/foreign-format.ts'
import { issuedBeforeAheadLimit } from '../revocation/revocation.ts'
import type { Logger } from '../runtime/logger.ts'
import { contentFacts, type DeadLetters } from './dead-letters.ts'
import type { NewRevocation, Published } from './publisher.ts'

/** What importers share. */
export interface IngestOptions {
  /** Appends a revocation, or finds that the log holds all of it. */
  readonly publish: (revocation: NewRevocation) => Promise<Published>
  readonly deadLetters: DeadLetters
  readonly registry: Registry
  readonly logger: Logger
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
  /** For how long after its expiry a token may still pass somewhere, seconds. */
  readonly graceSeconds: number
  /** The longest time for which a token that exists now can be accepted, seconds. */
  readonly longestTokenSeconds: () => number
}

/** A message and where it stood. */
export interface Received {
  readonly content: Uint8Array
  /** As people find it again: `topic/partition/offset`, a stream's id... */
  readonly position: string
  /** @throws RescindError ERR_EVENT_INVALID; ERR_REQUEST_FAILED if it must be tried again. */
  read(): Promise<readonly ForeignRevocation[]>
}

/** Takes messages of one source. */
export interface Ingest {
  /**
   * Resolves when all that the message revokes is stored, or the message is a dead letter: it may then be acknowledged.
   * What the log refuses for now is tried again, with back-off, until the signal aborts.
   *
   * @throws the signal's reason; nothing may then be acknowledged.
   */
  take(message: Received, signal: AbortSignal): Promise<void>
}

/** The message is at fault; anything else may pass. */
const faults: ReadonlySet<string> = new Set([
  'ERR_EVENT_INVALID',
  'ERR_REVOCATION_INVALID',
  'ERR_CLAIM_SET_UNKNOWN',
  'ERR_EVENT_TOO_LARGE',
])

const retryMsMin = 100
const retryMsMax = 5_000

/** Gives the {@link Ingest} of each source by its name, such as `inbox:hr`. */
export function createIngests(options: IngestOptions): (source: string) => Ingest {
  const events = new Counter({
    name: 'rescind_revoker_events_total',
    help: 'Revocations that others published, by what became of them.',
    labelNames: ['source', 'outcome'],
    registers: [options.registry],
  })
  return source => createIngest(source, options, outcome => events.inc({ source, outcome }))
}

type Outcome = 'published' | 'repeated' | 'expired' | 'rejected' | 'deferred'

function createIngest(source: string, options: IngestOptions, count: (outcome: Outcome) => void): Ingest {
  const { logger, deadLetters, nowSeconds } = options
  const pause = createPause(source, logger)

  const publish = async (foreign: ForeignRevocation): Promise<void> => {
    const now = nowSeconds()
    const { expiresAt } = foreign
    if (expiresAt !== undefined && expiresAt + options.graceSeconds <= now) return count('expired')
    const bounded = withinBounds(foreign, now, options.longestTokenSeconds())
    const published = await options.publish({ ...bounded, id: foreignId(source, foreign), actor: source })
    count(published.id === undefined ? 'repeated' : 'published')
  }

  const reject = ({ content, position }: Received, { message: problem }: Error): void => {
    count('rejected')
    const at = Math.floor(nowSeconds())
    deadLetters.add({ source, position, at, problem, ...contentFacts(content) })
    logger.warn({ source, position, problem }, 'an event cannot be used and is skipped')
  }

  /** @returns whether it is done with. */
  const attempt = async (message: Received): Promise<boolean> => {
    try {
      for (const revocation of await message.read()) await publish(revocation)
      return true
    } catch (error) {
      if (error instanceof RescindError && faults.has(error.code)) {
        reject(message, error)
        return true
      }
      count('deferred')
      pause.because(error)
      return false
    }
  }

  return {
    async take(message, signal) {
      signal.throwIfAborted()
      while (!(await attempt(message))) await pause.over(signal)
      pause.reset()
    },
  }
}

const tokenNames = ['jti', '$token', '$signature']
const hourSeconds = 3_600

/**
 * Their clocks may be ahead, and some of their tokens never expire. But no token outlives the longest lifetime, so its
 * revocation need not either; whole hours, so that a repeat is no longer than what it repeats.
 */
function withinBounds(
  foreign: ForeignRevocation,
  now: number,
  longestTokenSeconds: number,
): ForeignRevocation {
  const { match, issuedBefore, expiresAt } = foreign
  const isToken = tokenNames.some(name => Object.hasOwn(match, name))
  const latest = Math.ceil((now + longestTokenSeconds) / hourSeconds) * hourSeconds
  return {
    ...foreign,
    ...(issuedBefore === undefined
      ? {}
      : { issuedBefore: Math.min(issuedBefore, Math.floor(now) + issuedBeforeAheadLimit) }),
    ...(expiresAt === undefined || !isToken ? {} : { expiresAt: Math.min(expiresAt, latest) }),
  }
}

/** One pause for all messages of a source that wait: longer each time, until something gets through. */
function createPause(source: string, logger: Logger) {
  let failures = 0
  let untilMs = 0
  return {
    because(error: unknown): void {
      if (performance.now() < untilMs) return
      const retryMs = Math.min(retryMsMax, retryMsMin * 2 ** failures++)
      untilMs = performance.now() + retryMs
      logger.error({ err: error, source, retryMs }, 'an event cannot be stored; trying again')
    },
    over: (signal: AbortSignal): Promise<void> =>
      delay(Math.max(1, untilMs - performance.now()), undefined, { signal }),
    reset(): void {
      failures = 0
    },
  }
}
