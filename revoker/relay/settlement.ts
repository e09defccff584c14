/**
 * Publishes what the identity provider has revoked: at once, or as soon as the log can be written again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { foreignId } from '../../revocation/formats/foreign-format.ts'
import type { Logger } from '../../runtime/logger.ts'
import { notTooOften } from '../../runtime/not-too-often.ts'
import { cutNow } from '../margins.ts'
import type { NewRevocation, Publication, Publisher } from '../publisher.ts'
import type { Flights } from './flights.ts'
import type { Intent, Intents } from './intents.ts'

/** What a settlement works on. */
export interface SettlementOptions {
  readonly intents: Intents
  readonly publisher: Publisher
  /** For how long a token that does not say may live, seconds. */
  readonly longestTokenSeconds: () => number
  /** For how long after its expiry a token may still pass somewhere, seconds. */
  readonly graceSeconds: number
  /** How long the identity provider may take, seconds. */
  readonly timeoutSeconds: number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
  readonly logger: Logger
}

/** Settles intents. */
export interface Settlement {
  /**
   * Publishes what an intent takes, which is stored as proven. To be called in the flight of its key.
   *
   * @returns undefined if none of it can pass anywhere any more
   * @throws RescindError what the publisher throws; the intent stays, and is tried again
   */
  settle(key: string, intent: Intent): Promise<Publication | undefined>
  /** Stops trying again. */
  close(): Promise<void>
}

const sweepMs = 2_000
const sameLineMs = 10_000

/**
 * Begins to settle what was left open. After a start, what was genuine before it was passed on counts as revoked if nobody
 * knows the answer; the rest stays open.
 */
export async function startSettlement(options: SettlementOptions, flights: Flights): Promise<Settlement> {
  const { intents, publisher, nowSeconds, logger } = options
  const closing = new AbortController()
  const report = notTooOften(sameLineMs, (notLogged, err: unknown) =>
    logger.error(
      { err, waiting: intents.size, notLogged },
      'relayed revocations cannot be published; trying again',
    ),
  )

  const settle = async (key: string, intent: Intent) => {
    const revocations = revocationsOf(intent, options)
    const publication = revocations.length > 0 ? await publisher.publishAll(revocations) : undefined
    await intents.remove(key)
    return publication
  }

  /** Until then all that it could revoke has expired. */
  const isOver = ({ at }: Intent) => at < nowSeconds() - options.longestTokenSeconds() - options.graceSeconds

  const lookAt = async (key: string) => {
    const intent = intents.get(key)
    if (intent?.proven) {
      await settle(key, intent)
      logger.info({ id: key, client: intent.client }, 'a relayed revocation was published late')
    } else if (intent !== undefined && isOver(intent)) {
      await intents.remove(key)
      logger.warn(
        { id: key, client: intent.client },
        'a relayed revocation stayed unresolved and has expired',
      )
    }
  }

  const sweep = async () => {
    for (const [key] of intents.list()) {
      // Whoever asks for it now will settle it.
      if (flights.has(key)) continue
      await flights.run(key, () => lookAt(key)).catch(report)
      if (closing.signal.aborted) return
    }
  }

  const keepSweeping = async () => {
    while (!closing.signal.aborted) {
      await sweep()
      await delay(sweepMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  for (const [key, intent] of intents.list()) {
    if (!intent.genuine || intent.proven || intent.answered) continue
    await intents.put(key, { ...intent, proven: true, at: intent.at + options.timeoutSeconds })
  }
  const sweeping = keepSweeping()
  return {
    settle,
    async close() {
      closing.abort()
      await sweeping
    },
  }
}

/** An intent for something that was not asked before. */
export const newIntent = (at: number, client: string | undefined): Intent => ({
  id: randomUUID(),
  at,
  client,
  taken: [],
  genuine: false,
  proven: false,
  answered: false,
})

function revocationsOf(intent: Intent, options: SettlementOptions): NewRevocation[] {
  const { nowSeconds, longestTokenSeconds, graceSeconds } = options
  const actor = intent.client === undefined ? 'relay' : `client:${intent.client}`
  // No token is accepted longer, also one whose issuer's clock is ahead; the log may refuse what says more.
  const latest = intent.at + longestTokenSeconds() + graceSeconds
  return intent.taken
    .map(
      ({ match, expiresAt, cut, tokenType }): NewRevocation => ({
        match,
        tokenType,
        actor,
        ...(cut
          ? { issuedBefore: cutNow(match, intent.at) }
          : { expiresAt: Math.min(expiresAt ?? latest, latest) }),
      }),
    )
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt + graceSeconds > nowSeconds())
    .map(revocation => ({ ...revocation, id: foreignId(`relay ${intent.id}`, revocation) }))
}
