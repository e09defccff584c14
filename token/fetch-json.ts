/**
 * Gets a JSON document over HTTP with a time-out and a size limit, following no redirect.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { readLimited } from './read-limited.ts'
import type { Timing } from './timing.ts'

/** How to fetch. */
export interface FetchJsonOptions {
  readonly fetch: typeof fetch
  readonly timing: Timing
  /** Time for the whole exchange, body included. */
  readonly timeoutMs: number
  /** Largest body. */
  readonly limitBytes: number
  /** Ends the exchange early. */
  readonly signal: AbortSignal
}

/** The answer: `document` is the parsed body of a 200, undefined for a 404. */
export type FetchedJson = { readonly found: true; readonly document: unknown } | { readonly found: false }

/**
 * Gets a JSON document.
 *
 * @throws RescindError ERR_REQUEST_FAILED for any status but 200 and 404, a body that is too large or no JSON, a
 * time-out, or no connection; the message names the URL and the cause
 */
export async function fetchJson(url: URL, options: FetchJsonOptions): Promise<FetchedJson> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timeout = { passed: false }
  const cancelTimer = options.timing.after(options.timeoutMs, () => {
    timeout.passed = true
    abort()
  })
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  try {
    return await exchange(url, options, controller.signal)
  } catch (error) {
    const cause = timeout.passed ? `no answer within ${options.timeoutMs} ms` : causeOf(error)
    throw new RescindError('ERR_REQUEST_FAILED', `${url.href}: ${cause}`, { cause: error })
  } finally {
    cancelTimer()
    options.signal.removeEventListener('abort', abort)
  }
}

async function exchange(url: URL, options: FetchJsonOptions, signal: AbortSignal): Promise<FetchedJson> {
  const headers = { accept: 'application/json, application/jwk-set+json', 'user-agent': 'rescind' }
  const response = await options.fetch(url, { headers, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    if (response.status === 404) return { found: false }
    throw new Error(refusalOf(response.status))
  }
  const body = await readLimited(response.body ?? noBody(), options.limitBytes)
  try {
    return { found: true, document: JSON.parse(body.toString('utf8')) }
  } catch {
    throw new Error('the answer is not JSON')
  }
}

function refusalOf(status: number): string {
  const redirect = status >= 300 && status < 400
  return `answered ${status}${redirect ? '; redirects are not followed, configure the final URL' : ''}`
}

async function* noBody(): AsyncGenerator<Uint8Array> {}

/** The innermost message: fetch says only 'fetch failed' and hides why in `cause`. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return cause.message || String((cause as NodeJS.ErrnoException).code ?? error.message)
}
