/**
 * The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): what a repeated request is answered with, for
 * a while and in this process; and the ids that make a repeat at another revoker the same revocation. No I/O.
 *
 * @module
 */
import { createHash } from 'node:crypto'

/** Limits, which tests set smaller. */
export interface AnswerMemoryOptions {
  /** Administrators that are told apart; the one who asked longest ago is forgotten first. Default 64. */
  readonly administratorsLimit?: number
  /** Answers of each. Default 1,000. */
  readonly answersLimit?: number
  /** Bytes of the answers of each. Default 4 MiB. */
  readonly bytesLimit?: number
  /** How long an answer is kept. Default a day. */
  readonly keepMs?: number
  /** Steady clock, milliseconds. */
  readonly now?: () => number
}

/** A request that carries a key. */
export interface KeyedRequest {
  readonly administrator: string
  readonly key: string
  /** Equal for equal requests, see {@link fingerprintOf}. */
  readonly fingerprint: string
}

/** What is known of a key: nothing yet, so the request may begin; or why it may not. */
export type Begun<Answer> =
  | { readonly kind: 'begun' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** An equal request is under way. */
  | { readonly kind: 'under way' }
  /** The key belongs to another request. */
  | { readonly kind: 'reused' }

/** Remembers answers. */
export interface AnswerMemory<Answer> {
  begin(request: KeyedRequest): Begun<Answer>
  /** Keeps the answer of a request that has begun. */
  keep(request: KeyedRequest, answer: Answer, bytes: number): void
  /** A request that has begun ended without an answer; `mayHaveEffect`: the key still belongs to it. */
  release(request: KeyedRequest, mayHaveEffect: boolean): void
}

interface Entry<Answer> {
  readonly fingerprint: string
  readonly untilMs: number
  readonly bytes: number
  readonly state: 'under way' | 'open' | { readonly answer: Answer }
}

/** Most characters of a key. */
export const keyLimit = 128

/** The header's value: a string of structured fields (RFC 8941), or the same without quotes. */
const keyText = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]+)"|([\x21\x23-\x5b\x5d-\x7e]+))$/

/** The key in a header; undefined if it is none that is allowed. */
export function idempotencyKey(header: string): string | undefined {
  const [, quoted, plain] = keyText.exec(header) ?? []
  const key = quoted ?? plain
  return key === undefined || key.length > keyLimit ? undefined : key
}

/** What makes requests equal: method, path and body. */
export const fingerprintOf = (method: string, url: string, body: unknown): string =>
  hashOf([method, url, JSON.stringify(body ?? null)])

/**
 * The id of a revocation that is asked for with a key: equal requests give equal ids, wherever and whenever they arrive.
 *
 * @param index its place in the request.
 * @returns 32 hex digits
 */
export const derivedId = ({ administrator, key, fingerprint }: KeyedRequest, index: number): string =>
  hashOf(['revocation', administrator, key, fingerprint, String(index)]).slice(0, 32)

/** SHA-256 over texts, each after its length. */
function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
  return hash.digest('hex')
}

/** Creates an empty memory. */
export function createAnswerMemory<Answer>(options: AnswerMemoryOptions = {}): AnswerMemory<Answer> {
  const { administratorsLimit = 64, answersLimit = 1_000, bytesLimit = 4 * 2 ** 20 } = options
  const { keepMs = 24 * 3_600_000, now = () => performance.now() } = options
  /** In the order in which they asked last; their answers in the order in which they came. */
  const ofAll = new Map<string, Map<string, Entry<Answer>>>()

  const entriesOf = (administrator: string) => {
    const entries = ofAll.get(administrator) ?? new Map<string, Entry<Answer>>()
    ofAll.delete(administrator)
    ofAll.set(administrator, entries)
    const [oldest] = ofAll.keys()
    if (ofAll.size > administratorsLimit && oldest !== undefined) ofAll.delete(oldest)
    return entries
  }

  const set = (
    { administrator, key, fingerprint }: KeyedRequest,
    state: Entry<Answer>['state'],
    bytes = 0,
  ) => {
    const entries = entriesOf(administrator)
    entries.delete(key)
    entries.set(key, { fingerprint, untilMs: now() + keepMs, bytes, state })
    let held = 0
    for (const entry of entries.values()) held += entry.bytes
    for (const [oldest, entry] of entries) {
      if (entries.size <= answersLimit && held <= bytesLimit && entry.untilMs > now()) break
      if (entry.state === 'under way') continue
      entries.delete(oldest)
      held -= entry.bytes
    }
  }

  return {
    begin(request) {
      const known = entriesOf(request.administrator).get(request.key)
      if (known !== undefined && known.untilMs > now()) {
        if (known.fingerprint !== request.fingerprint) return { kind: 'reused' }
        if (known.state === 'under way') return { kind: 'under way' }
        if (known.state !== 'open') return { kind: 'answered', answer: known.state.answer }
      }
      set(request, 'under way')
      return { kind: 'begun' }
    },
    keep: (request, answer, bytes) => set(request, { answer }, bytes),
    release(request, mayHaveEffect) {
      if (mayHaveEffect) set(request, 'open')
      else ofAll.get(request.administrator)?.delete(request.key)
    },
  }
}
