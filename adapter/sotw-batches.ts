/**
 * The messages of the state-of-the-world protocol, whose clients only ever add tokens: everything that is live, walked
 * on disk for one stream; and what is new, encoded once for all streams. No I/O of its own.
 *
 * @module
 */
import type { PlacedText } from '../event-log/checkpoint-texts.ts'
import { revokedTokenCodec, revokedTokenTypeUrl, sotwResponseCodec } from '../proto/wire.ts'
import type { Applied } from '../revocation/apply-entry.ts'
import { type Match, matchKeyText } from '../revocation/key.ts'
import { restoredTimes } from '../revocation/live-key.ts'
import type { LiveState } from '../revocation/live-state.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { Outgoing } from './batches.ts'

/** Something that is done some time later. */
export interface Ticket {
  readonly done: boolean
}

/** Where the texts of revocations are. */
export interface SotwTexts {
  /** Done when everything that was applied until now can be read. */
  written(): Ticket
  /** The next texts after a sequence number, see `TextsOnDisk`. */
  after(sequence: number, limit: number): readonly PlacedText[]
}

/** What the messages are made of. */
export interface SotwSources {
  readonly state: LiveState
  readonly texts: SotwTexts
  /** Tokens are accepted for so long after they expired, seconds. */
  readonly toleranceSeconds: number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (action: () => void) => void
  /** Bytes at which a message is full; default 256 KiB. Clients take 4 MiB. */
  readonly messageBytesLimit?: number
  /** Bytes of new messages that are kept for streams that lag; default 32 MiB. */
  readonly ringBytesLimit?: number
}

/** Before the first sequence number. */
const beforeAll = -1

/** Texts that are looked at in one step of a walk; with the longest claim values that is 0.7 MB. */
const sliceTexts = 200

/** Slices of all walks together in one turn, so that many streams that begin at once do not keep others from theirs. */
const slicesPerTurn = 4

/** A message; or the walk goes on in another turn; or it must wait for the disk. */
export type WalkStep = Outgoing | 'working' | 'waiting'

/** Everything that is live. */
export interface FullSet {
  /** What is newer follows here, see {@link SotwBatches.after}. */
  readonly cursor: number
  /** At least one message; only the last one names the version that is reached. */
  readonly steps: Iterator<WalkStep, undefined>
}

/** The source of all messages of an adapter to such clients. */
export interface SotwBatches {
  /** Takes note of an entry of the log after it was applied. */
  add(applied: Applied): void
  /** Encodes what was added since the last time. */
  flush(): void
  /** The message at a cursor; undefined if there is none yet, `lost` if it is no longer there. */
  after(cursor: number): Outgoing | 'lost' | undefined
  full(): FullSet
  /** Forgets what is new: nobody needs it, or all begin anew. Every cursor is lost. */
  skip(): void
}

/** Creates the source. */
export function createSotwBatches(sources: SotwSources): SotwBatches {
  const { state, texts } = sources
  const { messageBytesLimit = 2 ** 18, ringBytesLimit = 2 ** 25 } = sources
  const ring = createRing(ringBytesLimit)
  const turn = createTurn(slicesPerTurn, sources.nextTurn)
  let pending: Buffer[] = []
  let pendingBytes = 0
  let nonces = 0

  const message = (resources: readonly Buffer[], version: number, to: number): Outgoing => {
    const nonce = String(++nonces)
    const head = { versionInfo: String(version), typeUrl: revokedTokenTypeUrl, nonce }
    // Encodings of parts of a message, one behind the other, are an encoding of the message.
    return { bytes: Buffer.concat([sotwResponseCodec.encode(head), ...resources]), nonce, to }
  }

  /** The resource of a token that is live, until the last of its revocations expires. */
  const resourceOf = (jti: string, match: Match): Buffer | undefined => {
    const { expiresAt } = state.live(matchKeyText(match, false).text)?.entry ?? restoredTimes
    const isLive = expiresAt > sources.nowSeconds() - sources.toleranceSeconds
    return isLive ? encodeToken(jti, expiresAt) : undefined
  }

  const flush = () => {
    if (pending.length === 0) return
    ring.push(message(pending, state.position, state.position))
    pending = []
    pendingBytes = 0
  }

  /** The live tokens among the next texts, and the last sequence number that was looked at; undefined at the end. */
  const nextSlice = (after: number) => {
    const slice = texts.after(after, sliceTexts)
    const resources = slice.flatMap(({ text }) => {
      const jti = jtiOf(text)
      return (jti !== undefined && resourceOf(jti, text.match)) || []
    })
    return { resources, last: slice.length < sliceTexts ? undefined : slice.at(-1)?.sequence }
  }

  const walk = function* (version: number): Generator<WalkStep, undefined> {
    const written = texts.written()
    while (!written.done) yield 'waiting'
    const resources: Buffer[] = []
    let last: number | undefined = beforeAll
    do {
      while (!turn.take()) yield 'working'
      const slice = nextSlice(last)
      last = slice.last
      resources.push(...slice.resources)
      if (sizeOf(resources) >= messageBytesLimit) yield message(resources.splice(0), version, -1)
      if (last !== undefined) yield 'working'
    } while (last !== undefined)
    yield message(resources, version, version)
    return undefined
  }

  return {
    add: ({ event }) => {
      if (event?.kind !== 'revocation') return
      const jti = jtiOf(event)
      if (jti === undefined) return
      const live = state.live(matchKeyText(event.match, false).text)
      // A repeat changes nothing: trimming appends again what is needed of the oldest quarter of a log.
      const resource = live?.changedAt === state.sequence ? resourceOf(jti, event.match) : undefined
      if (resource === undefined) return
      pending.push(resource)
      pendingBytes += resource.length
      if (pendingBytes >= messageBytesLimit) flush()
    },
    flush,
    after: ring.at,
    full: () => {
      flush()
      return { cursor: ring.end(), steps: walk(Math.max(0, state.position)) }
    },
    skip: () => {
      pending = []
      pendingBytes = 0
      ring.clear()
    },
  }
}

/** The jti that a revocation blocks, if it is of nothing but a jti, of one issuer or of any. */
function jtiOf({ match, issuedBefore }: Pick<Revocation, 'match' | 'issuedBefore'>): string | undefined {
  const { jti } = match
  if (jti === undefined || issuedBefore !== undefined) return undefined
  const isAllThereIs = Object.keys(match).every(name => name === 'jti' || name === 'iss')
  return isAllThereIs ? String(jti) : undefined
}

const sizeOf = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0)

/** A part of a response that holds one token. */
function encodeToken(jti: string, expiresAt: number): Buffer {
  const value = revokedTokenCodec.encode({ jti, expirytime: expiresAt * 1_000 })
  return sotwResponseCodec.encode({ resources: [{ type_url: revokedTokenTypeUrl, value }] })
}

/** Shares out what may be done in one turn. */
function createTurn(limit: number, nextTurn: SotwSources['nextTurn']) {
  let taken = 0
  const begin = () => {
    taken = 0
  }
  return {
    /** Whether there was something left. */
    take: (): boolean => {
      const before = taken++
      if (before === 0) nextTurn(begin)
      return before < limit
    },
  }
}

/** The last messages, up to a number of bytes; each has a place of its own, which is never given again. */
function createRing(bytesLimit: number) {
  const messages = new Map<number, Outgoing>()
  let bytes = 0
  let end = 0
  const drop = (place: number, { bytes: dropped }: Outgoing) => {
    messages.delete(place)
    bytes -= dropped.length
  }
  return {
    push: (message: Outgoing) => {
      messages.set(end++, message)
      bytes += message.bytes.length
      for (const [place, oldest] of messages) {
        if (bytes <= bytesLimit) return
        drop(place, oldest)
      }
    },
    at: (place: number) => messages.get(place) ?? (place === end ? undefined : ('lost' as const)),
    end: () => end,
    clear: () => {
      for (const [place, message] of messages) drop(place, message)
      // So that whoever is at the end has lost its place too.
      end += 1
    },
  }
}
