/**
 * The way of a foreign message into the log: read, published until it is stored, counted; or a dead letter.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Counter, type Registry } from 'prom-client'
import { contentFacts, type DeadLetters } from '../event-log/dead-letters.ts'
import { RescindError } from '../revocation/error.ts'
import { type ForeignRevocation, foreignId } from '../revocation/formats/foreign-format.ts'
import { issuedBeforeAheadLimit } from '../revocation/revocation.ts'
import type { Logger } from '../runtime/logger.ts'
import { notTooOften } from '../runtime/not-too-often.ts'
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
  /** Its octets; undefined where they are not known. */
  readonly content: Uint8Array | undefined
  /** When it came to where we read it, seconds, if that is known: the same however often it is delivered. */
  readonly sentAtSeconds?: number | undefined
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
  'ERR_GRANT_FORBIDDEN',
  'ERR_GRANT_REFUSED',
])

const retryMsMin = 100
const retryMsMax = 5_000
const sameLineMs = 1_000

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

  const publish = async (foreign: ForeignRevocation, sentAtSeconds: number | undefined): Promise<void> => {
    const now = nowSeconds()
    const longest = options.longestTokenSeconds()
    const { issuedBefore = Number.POSITIVE_INFINITY, expiresAt = Number.POSITIVE_INFINITY } = foreign
    if (expiresAt + options.graceSeconds <= now || issuedBefore + longest <= now) return count('expired')
    const bounded = withinBounds(foreign, { now, sentAt: Math.min(now, sentAtSeconds ?? now), longest })
    const published = await options.publish({ ...bounded, id: foreignId(source, foreign), actor: source })
    count(published.id === undefined ? 'repeated' : 'published')
  }

  const warn = notTooOften(sameLineMs, (heldBack, position: string, problem: string) =>
    logger.warn({ source, position, problem, notLogged: heldBack }, 'an event cannot be used and is skipped'),
  )

  const reject = ({ content, position }: Received, { message: problem }: Error): void => {
    count('rejected')
    const facts = content === undefined ? {} : contentFacts(content)
    deadLetters.add({ source, position, at: Math.floor(nowSeconds()), problem, ...facts })
    warn(position, problem)
  }

  /** @returns whether it is done with. */
  const attempt = async (message: Received): Promise<boolean> => {
    try {
      for (const revocation of await message.read()) await publish(revocation, message.sentAtSeconds)
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

const hourSeconds = 3_600

/**
 * No token outlives the longest lifetime, so a revocation need not either; whole hours, so that a repeat is no longer
 * than what it repeats. A cut in the future is counted from when the message came, so that it does not move when the
 * message is read again.
 */
function withinBounds(
  foreign: ForeignRevocation,
  { now, sentAt, longest }: { readonly now: number; readonly sentAt: number; readonly longest: number },
): ForeignRevocation {
  const { issuedBefore, expiresAt } = foreign
  const latestCut = Math.floor(sentAt) + issuedBeforeAheadLimit
  const latestExpiry = Math.ceil((now + longest) / hourSeconds) * hourSeconds
  return {
    ...foreign,
    ...(issuedBefore === undefined ? {} : { issuedBefore: Math.min(issuedBefore, latestCut) }),
    ...(expiresAt === undefined ? {} : { expiresAt: Math.min(expiresAt, latestExpiry) }),
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
