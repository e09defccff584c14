/**
 * Everything that was ever stored in a log of the simulation, whichever of its servers stored it and whatever was lost
 * since: each entry knows the one before it. With it the naive model: what a log that ends at an entry says of each token.
 *
 * @module
 */
import type { LogPosition } from '../../event-log/event-log.ts'
import { claimSetId, createClaimSet } from '../../revocation/claim-set.ts'
import { matchKeyText } from '../../revocation/key.ts'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import { modelMatches, needsDeclaration } from '../support/revocation-model.ts'
import { plainCodec, type SomeToken } from '../support/revocations.ts'

/** An entry, as long as anybody remembers it. */
export interface Stored extends LogPosition {
  /** What the log held before it, trimmed entries included. */
  readonly before: Stored | undefined
  readonly depth: number
  readonly event: LogEvent
  readonly knowledge: Knowledge
  /** When a server of the log last ended with it, true milliseconds; Infinity while one does. See log-server.ts. */
  lastEndAtMs: number
}

/** A revocation as the model sees it. */
export interface Known {
  readonly revocation: Revocation
  /** Text of its key. */
  readonly key: string
  /** When any log first held it, true milliseconds. */
  readonly storedAtMs: number
  /** The same by the wall clock, seconds. */
  readonly storedAt: number
  /** Its claim set, if revocations by that count only when it is declared. */
  readonly needsSet: string | undefined
}

/** What a log says, from its first entry to one. */
export interface Knowledge {
  /** Ids of revocations that were restored, and until when that is kept, seconds. */
  readonly restored: ReadonlyMap<string, number>
  readonly declared: ReadonlySet<string>
  /** All revocations, restored and expired ones included. */
  readonly revocations: readonly Known[]
  /** For each token the revocations that match it, restored and expired ones included. */
  readonly matching: readonly (readonly Known[])[]
}

/** The history of all logs of a simulation. */
export interface History {
  readonly tokens: readonly SomeToken[]
  /** All revocations that were ever stored. */
  readonly known: readonly Known[]
  /** Those that match a token. */
  matching(token: number): readonly Known[]
  /** Takes note of an entry that a server stored. */
  store(before: Stored | undefined, place: LogPosition, bytes: Uint8Array): Stored
  /** The entry at a position; undefined for one that never was. */
  find(position: number, digest: string): Stored | undefined
}

const nothing = (tokens: readonly SomeToken[]): Knowledge => ({
  restored: new Map(),
  declared: new Set(),
  revocations: [],
  matching: tokens.map(() => []),
})

/** A history in which nothing has happened, of logs that are asked about these tokens. */
export function createHistory(
  tokens: readonly SomeToken[],
  { nowMs, wallMs }: Readonly<Record<'nowMs' | 'wallMs', () => number>>,
): History {
  const entries = new Map<string, Stored>()
  const known = new Map<string, Known>()
  const empty = nothing(tokens)

  const knownOf = (revocation: Revocation): Known => {
    const id = `${revocation.id} ${revocation.expiresAt}`
    const first = known.get(id)
    if (first !== undefined) return first
    const { set, text: key } = matchKeyText(revocation.match, revocation.issuedBefore !== undefined)
    const needsSet = needsDeclaration(Object.keys(revocation.match)) ? claimSetId(set) : undefined
    const one = { revocation, key, storedAtMs: nowMs(), storedAt: wallMs() / 1000, needsSet }
    known.set(id, one)
    return one
  }

  const learn = (knowledge: Knowledge, event: LogEvent): Knowledge => {
    if (event.kind === 'claim-set') {
      return {
        ...knowledge,
        declared: new Set([...knowledge.declared, claimSetId(createClaimSet(event.names, event.cut))]),
      }
    }
    if (event.kind === 'restoration')
      return {
        ...knowledge,
        restored: new Map([...knowledge.restored, [event.target, event.expiresAt]]),
      }
    if (event.kind !== 'revocation') return knowledge
    const one = knownOf(event)
    if (knowledge.revocations.includes(one)) return knowledge
    const matching = knowledge.matching.map((others, token) =>
      modelMatches(event.match, tokens[token] as SomeToken) ? [...others, one] : others,
    )
    return { ...knowledge, matching, revocations: [...knowledge.revocations, one] }
  }

  return {
    tokens,
    get known() {
      return [...known.values()]
    },
    matching: token =>
      [...known.values()].filter(({ revocation }) =>
        modelMatches(revocation.match, tokens[token] as SomeToken),
      ),
    store: (before, { position, digest }, bytes) => {
      const name = nameOf(position, digest.toString(16).padStart(16, '0'))
      const same = entries.get(name)
      // Two servers that hold the same may be given the same again: nobody can tell them apart then.
      if (same?.before === before && same !== undefined) return same
      const event = plainCodec.decode(bytes)
      const stored: Stored = {
        position,
        digest,
        before,
        depth: (before?.depth ?? 0) + 1,
        event,
        knowledge: learn(before?.knowledge ?? empty, event),
        lastEndAtMs: nowMs(),
      }
      entries.set(name, stored)
      return stored
    },
    find: (position, digest) => entries.get(nameOf(position, digest)),
  }
}

const nameOf = (position: number, digest: string): string => `${position}/${digest}`

/** Whether a log that ends at `end` holds an entry, or held it before it was trimmed. */
export function holds(end: Stored | undefined, entry: Stored): boolean {
  let at = end
  while (at !== undefined && at.depth > entry.depth) at = at.before
  return at === entry
}

/** Whether a log with this knowledge lets a revocation count: its claim set needs no declaration, or has one. */
export const isAdmitted = ({ declared }: Knowledge, { needsSet }: Known): boolean =>
  needsSet === undefined || declared.has(needsSet)

/**
 * Whether a revocation rejects a token, expiry aside that is judged by the caller's clock. A cut lasts longer than any
 * token that it matches and that is still accepted.
 *
 * @param liveAfter seconds: blocks that expired at or before it are over.
 */
export const rejects = ({ revocation }: Known, { iat }: SomeToken, liveAfter: number): boolean =>
  revocation.issuedBefore === undefined
    ? Math.ceil(revocation.expiresAt ?? 0) > liveAfter
    : Math.floor(iat) <= Math.floor(revocation.issuedBefore)
