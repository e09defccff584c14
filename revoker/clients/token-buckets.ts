/**
 * Rate limits by token buckets, one for each key, in bounded memory.
 *
 * @module
 */
import { isIPv6 } from 'node:net'

/** Limits of buckets. */
export interface TokenBucketOptions {
  /** Tokens that flow into a bucket. */
  readonly perSecond: number
  /** Tokens that a full bucket holds. */
  readonly burst: number
  /** Buckets that are remembered; beyond that the one that was used longest ago is full again. */
  readonly keysLimit: number
  /** A steady clock, milliseconds. Default: performance.now. */
  readonly nowMs?: () => number
}

/** Buckets by key. */
export interface TokenBuckets {
  /** Takes a token. @returns 0, or how many milliseconds too early that was; nothing is taken then. */
  take(key: string): number
  /** What {@link take} would return; takes nothing. */
  wait(key: string): number
  /** Gives a token back that was taken. */
  give(key: string): void
}

/** Creates buckets, all of them full. */
export function createTokenBuckets(options: TokenBucketOptions): TokenBuckets {
  const { perSecond, burst, keysLimit, nowMs = () => performance.now() } = options
  /** When a bucket will be full, milliseconds; the one that was used longest ago first. */
  const fullAtMs = new Map<string, number>()
  const tokenMs = 1_000 / perSecond
  const reachMs = burst * tokenMs

  const wait = (key: string): number => Math.max(0, (fullAtMs.get(key) ?? 0) + tokenMs - (nowMs() + reachMs))

  return {
    wait,
    take(key) {
      const waitMs = wait(key)
      if (waitMs > 0) return waitMs
      const next = Math.max(fullAtMs.get(key) ?? 0, nowMs()) + tokenMs
      fullAtMs.delete(key)
      const [oldest] = fullAtMs.keys()
      if (oldest !== undefined && fullAtMs.size >= keysLimit) fullAtMs.delete(oldest)
      fullAtMs.set(key, next)
      return 0
    },
    give(key) {
      const fullAt = fullAtMs.get(key)
      if (fullAt !== undefined) fullAtMs.set(key, fullAt - tokenMs)
    },
  }
}

/** The part of an address that one customer has: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = '', tail] = (address.split('%', 1)[0] as string).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  const groups = [...before, ...(tail === undefined ? [] : zeros), ...after]
  return groups
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')
}
