/**
 * Publishes what the identity provider has revoked: at once, or as soon as the log can be written again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { RescindError } from '../../revocation/error.ts'
import { foreignId } from '../../revocation/formats/foreign-format.ts'
import type { Logger } from '../../runtime/logger.ts'
import { cutNow } from '../margins.ts'
import type { NewRevocation, Publication, Publisher } from '../publisher.ts'
import type { Intent, Intents } from './intents.ts'

/** What a settlement works on. */
export interface SettlementOptions {
  readonly intents: Intents
  readonly publisher: Publisher
  /** Whether a request concerns the token now: then it will settle the intent. */
  readonly isBusy: (token: string) => boolean
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
   * Publishes what an intent takes, which is stored as proven.
   *
   * @returns undefined if none of it can pass anywhere any more
   * @throws RescindError what the publisher throws; the intent stays, and is tried again
   */
  settle(token: string, intent: Intent): Promise<Publication | undefined>
  /**
   * After a start: what was genuine before it was passed on counts as revoked, for nobody knows the answer. The rest
   * stays open.
   */
  resume(): Promise<void>
  /** Stops trying again. */
  close(): Promise<void>
}

const sweepMs = 2_000

/** Creates the settlement of a relay. */
export function createSettlement(options: SettlementOptions): Settlement {
  const { intents, publisher, nowSeconds, logger } = options

  const settle = async (token: string, intent: Intent) => {
    const revocations = revocationsOf(intent, options)
    const publication = revocations.length > 0 ? await publisher.publishAll(revocations) : undefined
    await intents.remove(token)
    return publication
  }

  const trySettle = async (token: string, intent: Intent) => {
    try {
      await settle(token, intent)
      logger.info({ intent: intent.id, client: intent.client }, 'a relayed revocation was published late')
    } catch (error) {
      if (!(error instanceof RescindError)) throw error
      logger.error(
        { err: error, intent: intent.id },
        'a relayed revocation cannot be published; trying again',
      )
    }
  }

  const sweep = async () => {
    const oldest = nowSeconds() - options.longestTokenSeconds() - options.graceSeconds
    for (const [token, intent] of intents.list()) {
      if (options.isBusy(token)) continue
      if (intent.proven) await trySettle(token, intent)
      else if (intent.at < oldest) await intents.remove(token)
    }
  }

  let sweeping = Promise.resolve()
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch(error => logger.error({ err: error }, 'relayed revocations wait'))
  }, sweepMs)

  return {
    settle,
    async resume() {
      for (const [token, intent] of intents.list()) {
        if (!intent.genuine || intent.proven) continue
        await intents.put(token, { ...intent, proven: true, at: intent.at + options.timeoutSeconds })
      }
    },
    async close() {
      clearInterval(timer)
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
})

function revocationsOf(intent: Intent, options: SettlementOptions): NewRevocation[] {
  const { nowSeconds, longestTokenSeconds, graceSeconds } = options
  const actor = intent.client === undefined ? 'relay' : `client:${intent.client}`
  return intent.taken
    .map(
      ({ match, expiresAt, cut, tokenType }): NewRevocation => ({
        match,
        tokenType,
        actor,
        ...(cut
          ? { issuedBefore: cutNow(match, intent.at) }
          : { expiresAt: expiresAt ?? intent.at + longestTokenSeconds() }),
      }),
    )
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt + graceSeconds > nowSeconds())
    .map(revocation => ({ ...revocation, id: foreignId(`relay ${intent.id}`, revocation) }))
}
