/**
 * Keeps one issuer's keys current: loads its JWKS, refreshes it, fetches it again for an unknown key, and outlives an
 * outage for a while.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { discoverJwksUri, type GetJson, parseHttpUrl } from './discovery.ts'
import { fetchJson } from './fetch-json.ts'
import { createHeldKeys } from './held-keys.ts'
import { type KeySet, readKeySet, type VerificationKey } from './key-set.ts'
import { systemTiming, type Timing } from './timing.ts'

/** Where log lines go; pino's loggers fit. */
export interface TokenLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Settings of {@link createJwksSource}. */
export interface JwksSourceOptions {
  /** The issuer, exactly as tokens and metadata name it. */
  readonly issuer: string
  /** The JWKS; without it the issuer's metadata is asked (discovery.ts). */
  readonly jwksUri?: string | undefined
  /** Time between two loads, +-10 %. Default 300. */
  readonly refreshSeconds?: number | undefined
  /** How long the last good keys serve through an outage, counted from the last success. Default 86,400. */
  readonly maxAgeSeconds?: number | undefined
  /** For how long keys that left the set are kept in {@link JwksSource.retiredKeySet}. Default 0. */
  readonly retiredSeconds?: number | undefined
  /** Shortest time between two fetches that unknown keys cause. Default 10. */
  readonly refetchIntervalSeconds?: number | undefined
  /** Time for one HTTP exchange. Default 5,000. */
  readonly timeoutMs?: number | undefined
  readonly logger: TokenLogger
  readonly fetch?: typeof fetch | undefined
  readonly timing?: Timing | undefined
  /** Uniform in [0, 1); for jitter. */
  readonly random?: (() => number) | undefined
}

/**
 * What {@link JwksSource.refetch} did: `loaded`: the keys are fresh; `limited`: the last fetch succeeded too short a
 * time ago for another; `failed`: the keys that the issuer has now are not known.
 */
export type RefetchOutcome = 'loaded' | 'limited' | 'failed'

/** Figures of a source, for metrics and status pages. */
export interface JwksStatus {
  readonly loadedOnce: boolean
  readonly keyCount: number
  /** Loads that succeeded. */
  readonly successCount: number
  /** Loads that failed. */
  readonly failureCount: number
  /** Time since the last success; undefined before the first. */
  readonly ageMs: number | undefined
  /** The last failure, if nothing succeeded since. */
  readonly lastError: string | undefined
  /** Time since the first failure after the last success; undefined if nothing has failed since. */
  readonly failingMs: number | undefined
}

/** The keys of one issuer. */
export interface JwksSource {
  /** Changes whenever the set of keys does, also when it gets too old to be used. */
  generation(): number
  /** The keys; undefined if they were never loaded or are too old. */
  keySet(): KeySet | undefined
  /** Keys that left the set not long ago; empty unless `retiredSeconds` is set. */
  retiredKeySet(): KeySet
  /** Whether the key may still verify: it is in the set, and the set is not too old. */
  isCurrent(key: VerificationKey): boolean
  /** Fetches again, or joins the fetch under way; rate limited. Never rejects. */
  refetch(): Promise<RefetchOutcome>
  /** The same, but waits until the next fetch is due: never `limited`. */
  refetchWhenDue(): Promise<RefetchOutcome>
  status(): JwksStatus
  /** Ends timers and the fetch under way; the keys stay until they are too old. */
  close(): void
}

/** Largest JWKS or metadata document. */
export const jwksLimitBytes = 512 * 1024
/** Default of {@link JwksSourceOptions.refreshSeconds}. */
export const jwksRefreshSeconds = 300
/** Default of {@link JwksSourceOptions.maxAgeSeconds}. */
export const jwksMaxAgeSeconds = 86_400
const defaultRefetchIntervalSeconds = 10
const defaultTimeoutMs = 5_000
const retryMsMin = 500
const retryMsMax = 30_000

/**
 * Starts to load an issuer's keys, in the background and until it succeeds.
 *
 * @throws RescindError ERR_CONFIG_INVALID if jwksUri, or without one the issuer, is no http(s) URL
 */
export function createJwksSource(options: JwksSourceOptions): JwksSource {
  const { issuer, logger } = options
  const locate = createLocator(options)
  const timing = options.timing ?? systemTiming
  const refetchIntervalMs = (options.refetchIntervalSeconds ?? defaultRefetchIntervalSeconds) * 1000
  const maxAgeMs = (options.maxAgeSeconds ?? jwksMaxAgeSeconds) * 1000
  const closing = new AbortController()
  const retiredMs = (options.retiredSeconds ?? 0) * 1000
  const keys = createHeldKeys(maxAgeMs, retiredMs, timing.steadyNowMs, () =>
    logger.error({ issuer, error: lastError }, 'keys of the issuer are too old and no longer used'),
  )
  let underWay: Promise<boolean> | undefined
  let refetchedAtMs = Number.NEGATIVE_INFINITY
  let cancelTimer = () => {}
  let successCount = 0
  let failureCount = 0
  let failuresInRow = 0
  let failingSinceMs: number | undefined
  let lastError: string | undefined

  const getJson = (url: URL) =>
    fetchJson(url, {
      fetch: options.fetch ?? fetch,
      timing,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      limitBytes: jwksLimitBytes,
      signal: closing.signal,
    })

  async function fetchKeySet(again: boolean): Promise<KeySet> {
    const url = await locate(getJson, again)
    const answer = await getJson(url)
    if (!answer.found) throw new RescindError('ERR_REQUEST_FAILED', `${url.href}: answered 404`)
    return readKeySet(answer.document, keys.current())
  }

  function adopt(loaded: KeySet): void {
    successCount++
    failuresInRow = 0
    failingSinceMs = undefined
    lastError = undefined
    if (keys.adopt(loaded)) logLoaded(logger, issuer, loaded)
  }

  function recordFailure(error: unknown): void {
    failureCount++
    failuresInRow++
    failingSinceMs ??= timing.steadyNowMs()
    lastError = error instanceof Error ? error.message : String(error)
    const level = keys.current() ? 'warn' : 'error'
    logger[level]({ issuer, error: lastError, failuresInRow }, 'keys of the issuer could not be loaded')
  }

  async function attempt(again: boolean): Promise<boolean> {
    cancelTimer()
    try {
      adopt(await fetchKeySet(again))
      return true
    } catch (error) {
      if (!closing.signal.aborted) recordFailure(error)
      return false
    } finally {
      const delayMs = nextDelayMs(options, failuresInRow)
      if (!closing.signal.aborted) cancelTimer = timing.after(delayMs, () => void load(true))
    }
  }

  /** @param again whether to look up anew where the keys are */
  function load(again: boolean): Promise<boolean> {
    underWay ??= attempt(again).finally(() => {
      underWay = undefined
    })
    return underWay
  }

  async function refetch(): Promise<RefetchOutcome> {
    if (closing.signal.aborted) return 'failed'
    if (!underWay) {
      if (untilDueMs() > 0) return failuresInRow === 0 ? 'limited' : 'failed'
      refetchedAtMs = timing.steadyNowMs()
    }
    return (await load(failuresInRow > 0)) ? 'loaded' : 'failed'
  }

  const untilDueMs = (): number => refetchedAtMs + refetchIntervalMs - timing.steadyNowMs()

  void load(true)
  return {
    generation: keys.generation,
    keySet: keys.current,
    retiredKeySet: keys.retired,
    isCurrent: key => keys.current()?.keys.has(key) ?? false,
    refetch,
    async refetchWhenDue() {
      while (!underWay && untilDueMs() > 0 && !closing.signal.aborted) {
        await new Promise<void>(due => timing.after(untilDueMs(), due))
      }
      return refetch()
    },
    status() {
      const ageMs = keys.ageMs()
      const keyCount = keys.current()?.keys.size ?? 0
      const failingMs = failingSinceMs === undefined ? undefined : timing.steadyNowMs() - failingSinceMs
      const loadedOnce = ageMs !== undefined
      return { loadedOnce, keyCount, successCount, failureCount, ageMs, lastError, failingMs }
    },
    close() {
      cancelTimer()
      closing.abort()
    },
  }
}

/** Finds the JWKS: where the settings say, else where the issuer's metadata says, remembered until asked again. */
function createLocator({ issuer, jwksUri }: JwksSourceOptions) {
  const configured = jwksUri === undefined ? undefined : parseHttpUrl(jwksUri, `jwksUri of ${issuer}`)
  if (!configured) parseHttpUrl(issuer, 'issuer without jwksUri')
  let discovered: URL | undefined
  return async (getJson: GetJson, again: boolean): Promise<URL> => {
    if (configured) return configured
    if (again || !discovered) discovered = await discoverJwksUri(issuer, getJson)
    return discovered
  }
}

function nextDelayMs(
  { refreshSeconds, random = Math.random }: JwksSourceOptions,
  failuresInRow: number,
): number {
  if (failuresInRow === 0) return (refreshSeconds ?? jwksRefreshSeconds) * 1000 * (0.9 + 0.2 * random())
  const longestMs = Math.min(retryMsMax, retryMsMin * 2 ** (failuresInRow - 1))
  return longestMs * (0.5 + 0.5 * random())
}

function logLoaded(logger: TokenLogger, issuer: string, { keys, skipped }: KeySet): void {
  const fields = { issuer, keyCount: keys.size, skipped }
  logger.info(fields, 'keys of the issuer loaded')
  if (keys.size === 0) logger.warn(fields, 'the issuer has no usable key: all of its tokens are rejected')
  if (skipped.secret) logger.warn(fields, 'the JWKS of the issuer holds secret keys; they are not used')
}
