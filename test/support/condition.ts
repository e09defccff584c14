/**
 * Waiting for a condition instead of for time.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 10
const defaultTimeoutMs = 15_000

type Falsy = false | undefined | null | 0 | ''

/**
 * Polls `check` until it returns something truthy, and returns that. A check that throws counts as "not yet". Throws
 * an error with `description` after `timeoutMs` (default 15 s), or at once when `giveUp` returns a reason why it can
 * never come true.
 *
 * @example await until('the token is rejected', async () => (await call(token)).status === 401)
 */
export const until = async <Value>(
  description: string,
  check: () => Value | Promise<Value>,
  options: { timeoutMs?: number; giveUp?: () => string | undefined } = {},
): Promise<Exclude<Awaited<Value>, Falsy>> => {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const { value, error } = await attempt(check, deadlineMs - performance.now())
    if (value) return value as Exclude<Awaited<Value>, Falsy>
    const hopeless = options.giveUp?.()
    if (hopeless !== undefined) throw new Error(`never: ${description}: ${hopeless}`, { cause: error })
    if (performance.now() > deadlineMs)
      throw new Error(`not within ${timeoutMs} ms: ${description}${because(error)}`, { cause: error })
    await delay(pollMs)
  }
}

const attempt = async <Value>(
  check: () => Value | Promise<Value>,
  remainingMs: number,
): Promise<{ value?: Awaited<Value>; error?: unknown }> => {
  const stop = new AbortController()
  const late = delay(remainingMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error('it did not come to an end')
  })
  try {
    return { value: await Promise.race([check(), late]) }
  } catch (error) {
    return { error }
  } finally {
    stop.abort()
    late.catch(() => undefined)
  }
}

const because = (error: unknown): string => (error === undefined ? '' : ` (last attempt: ${error})`)
