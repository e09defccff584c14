/**
 * Fills an event log with revocations: the control token's, and as many others as are asked for.
 *
 * @module
 */
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import { appendBytesLimit, type EventLog } from '../../event-log/event-log.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { Match } from '../../revocation/key.ts'
import type { Revocation } from '../../revocation/revocation.ts'

const lifetimeSeconds = 24 * 3600
const appendTimeoutMs = 60_000
const codec = createEventCodec()

/**
 * Of ten, seven are of a token, one of a user, one of a session and one of a client: so a token has four keys that are
 * looked for.
 */
const matches: readonly ((issuer: string, number: number) => Match)[] = [
  ...Array.from({ length: 7 }, () => (iss: string, number: number) => ({ iss, jti: `other-${number}` })),
  (iss, number) => ({ iss, sub: `other-user-${number}` }),
  (iss, number) => ({ iss, sid: `other-session-${number}` }),
  (iss, number) => ({ iss, $client: `other-client-${number}` }),
]

/** Appends to the log in a folder: a revocation of the token `jti`, and `count` of others. */
export const fillLog = async (folder: string, issuer: string, jti: string, count: number): Promise<void> => {
  const log = await openEmbeddedLog({ folder, appendTimeoutMs })
  try {
    await fillOpenLog(log, issuer, jti, count)
  } finally {
    await log.close()
  }
}

/** The same with a log that is open. */
export const fillOpenLog = async (
  log: EventLog,
  issuer: string,
  jti: string,
  count: number,
): Promise<void> => {
  for (const group of groups(revocationEvents(issuer, jti, count))) await log.appendAll(group)
}

/** A revocation of the token `jti`, and `count` of others: all of different keys. */
export const revocationEvents = function* (issuer: string, jti: string, count: number): Generator<Buffer> {
  const now = Math.floor(Date.now() / 1000)
  yield codec.encode(block({ iss: issuer, jti }, 0, now))
  for (let number = 1; number <= count; number++) yield codec.encode(revocationOf(issuer, number, now))
}

/** The revocation of a number from 1 on, made at a time in seconds; numbers have different keys. */
export const revocationOf = (issuer: string, number: number, now: number): Revocation => {
  const matchOf = matches[number % matches.length] as (typeof matches)[number]
  const match = matchOf(issuer, number)
  return 'jti' in match ? block(match, number, now) : cut(match, number, now)
}

const block = (match: Match, number: number, now: number): Revocation => ({
  kind: 'revocation',
  id: idOf(number),
  match,
  expiresAt: now + lifetimeSeconds,
  revokedAt: now,
})

const cut = (match: Match, number: number, now: number): Revocation => ({
  kind: 'revocation',
  id: idOf(number),
  match,
  issuedBefore: now,
  revokedAt: now,
})

const idOf = (number: number): string => number.toString(16).padStart(32, '0')

/** Groups as large as one append may be. */
const groups = function* (all: Iterable<Buffer>): Generator<readonly Buffer[]> {
  let group: Buffer[] = []
  let bytes = 0
  for (const event of all) {
    if (bytes + event.length > appendBytesLimit) {
      yield group
      group = []
      bytes = 0
    }
    group.push(event)
    bytes += event.length
  }
  yield group
}
