/**
 * What an adapter says of its enforcers, as far as a confirmation needs it; read strictly, for it comes from another
 * process. No I/O.
 *
 * @module
 */
import type { LogCheck } from '../../event-log/event-log.ts'

/** One enforcer at one adapter; see `FleetNode` of the adapter for the fields. */
export interface EnforcerView {
  readonly label: string
  readonly instance: string
  /** Whom its certificate names; absent without mutual TLS. */
  readonly identity?: string | undefined
  readonly connected: boolean
  readonly partial: boolean
  readonly leastAckedVersion: number
  /** It refuses what it is sent. */
  readonly nackError?: string | undefined
}

/** How the version that was asked for relates to what the adapter has read. */
export type KnownVersion = LogCheck['known']

/** The answer of `GET /nodes?version=...`. */
export interface FleetView {
  readonly epoch: string | null
  readonly ready: boolean
  readonly incomplete: boolean
  readonly settled: boolean
  readonly known: KnownVersion
  readonly nodes: readonly EnforcerView[]
}

/** Most enforcers of one answer, and of all together. */
export const enforcersLimit = 10_000

/** Characters of a text in an answer. */
const textLimit = 1_024

/** The answer, if it is one with at most {@link enforcersLimit} enforcers; undefined otherwise. */
export function fleetViewOf(answer: unknown): FleetView | undefined {
  const { epoch, ready, incomplete, settled, known, nodes } = fieldsOf(answer)
  if (!isText(epoch) && epoch !== null) return undefined
  if (!isFlag(ready) || !isFlag(incomplete) || !isFlag(settled) || !isKnown(known)) return undefined
  if (!Array.isArray(nodes) || nodes.length > enforcersLimit) return undefined
  const views = nodes.map(enforcerViewOf)
  if (!views.every(view => view !== undefined)) return undefined
  return { epoch, ready, incomplete, settled, known, nodes: views }
}

function enforcerViewOf(node: unknown): EnforcerView | undefined {
  const { label, instance, identity, connected, partial, leastAckedVersion, nackError } = fieldsOf(node)
  if (!isText(label) || !isText(instance) || !isFlag(connected) || !isFlag(partial)) return undefined
  if (!isTextOrAbsent(identity) || !isTextOrAbsent(nackError)) return undefined
  if (!Number.isSafeInteger(leastAckedVersion)) return undefined
  const acked = leastAckedVersion as number
  return { label, instance, identity, connected, partial, leastAckedVersion: acked, nackError }
}

/** What is not an object has no fields. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= textLimit

const isTextOrAbsent = (value: unknown): value is string | undefined => value === undefined || isText(value)

const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'

const isKnown = (value: unknown): value is KnownVersion =>
  value === 'confirmed' || value === 'ahead' || value === 'different' || value === 'trimmed'
