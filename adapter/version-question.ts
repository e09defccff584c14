/**
 * The query of `GET /nodes` with which somebody waits for a version. No I/O.
 *
 * @module
 */
import type { VersionQuestion } from './fleet-acks.ts'

/** A version, and how long to wait for it. */
export interface WaitingQuestion extends VersionQuestion {
  readonly waitMs: number
}

/** Longest wait; more is refused. */
export const waitMsLimit = 30_000

/** `version` (decimal), `digest` (16 hex digits) and `waitMs`, each once and nothing else; undefined otherwise. */
export function versionAsked(query: Readonly<Record<string, unknown>>): WaitingQuestion | undefined {
  const { version, digest, waitMs, ...rest } = query
  if (Object.keys(rest).length > 0) return undefined
  if (!isMatch(version, /^\d{1,16}$/) || !isMatch(digest, /^[0-9a-f]{16}$/) || !isMatch(waitMs, /^\d{1,5}$/))
    return undefined
  const asked = { version: Number(version), digest: BigInt(`0x${digest}`), waitMs: Number(waitMs) }
  return Number.isSafeInteger(asked.version) && asked.waitMs <= waitMsLimit ? asked : undefined
}

const isMatch = (value: unknown, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value)
