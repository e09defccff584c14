/**
 * From what all adapters say to whether a version is enforced. In doubt it is not. No I/O.
 *
 * @module
 */
import { printable } from '../../runtime/printable.ts'
import type { Confirmation } from './confirmation.ts'
import { type EnforcerView, enforcersLimit, type FleetView, type KnownVersion } from './fleet-view.ts'

/** What was published. */
export interface PublishedVersion {
  readonly version: number
  /** The log that has it. */
  readonly epoch: string
  /** It revokes single tokens by their jti: all that a partial enforcer can be told. */
  readonly isByJti: boolean
}

/** What one adapter said, or why it said nothing. */
export interface AdapterAnswer {
  /** For people. */
  readonly adapter: string
  readonly view?: FleetView
  readonly problem?: string
}

/** An enforcer at an adapter; `trusted`: what is said of its versions counts. */
interface Sighting {
  readonly enforcer: EnforcerView
  readonly trusted: boolean
}

const reasonsLimit = 16

/** What the answers of all adapters together say. */
export function verdictOf(published: PublishedVersion, answers: readonly AdapterAnswer[]): Confirmation {
  const sightings = answers.flatMap(({ view }) => sightingsOf(view, published))
  const enforcers = byEnforcer(sightings)
  const lacking = enforcers.flatMap(all => lackOf(all, published) ?? [])
  const reasons = [
    ...answers.flatMap(answer => doubtsOf(answer, published)),
    ...(enforcers.length === 0 ? ['no enforcer is connected to any adapter'] : []),
    ...(enforcers.length > enforcersLimit ? [`more than ${enforcersLimit} enforcers`] : []),
    ...lacking,
  ]
  return {
    version: published.version,
    enforced: reasons.length === 0,
    acked: enforcers.length - lacking.length,
    enforcers: enforcers.length,
    verified: sightings.every(({ enforcer }) => enforcer.identity !== undefined),
    reasons: shortened(reasons.map(printable)),
  }
}

function sightingsOf(view: FleetView | undefined, published: PublishedVersion): Sighting[] {
  if (view === undefined) return []
  const trusted = view.epoch === published.epoch && view.known === 'confirmed'
  return view.nodes.map(enforcer => ({ enforcer, trusted }))
}

/** What is said of each enforcer, at whichever adapters. */
function byEnforcer(sightings: readonly Sighting[]): readonly Sighting[][] {
  const enforcers = new Map<string, Sighting[]>()
  for (const sighting of sightings) {
    const { identity, label, instance } = sighting.enforcer
    const key = JSON.stringify([identity ?? null, label, instance])
    const known = enforcers.get(key)
    if (known === undefined) enforcers.set(key, [sighting])
    else known.push(sighting)
  }
  return [...enforcers.values()]
}

/** Why nothing is known for sure at an adapter, whatever its enforcers have. */
function doubtsOf({ adapter, view, problem }: AdapterAnswer, { epoch }: PublishedVersion): string[] {
  const of = (doubt: string) => `adapter ${adapter}: ${doubt}`
  if (view === undefined) return [of(problem ?? 'has not answered')]
  if (view.epoch !== epoch) return [of('it follows another event log')]
  return [
    ...(view.ready ? [] : [of('it is not ready')]),
    ...(view.known === 'confirmed' ? [] : [of(notConfirmed[view.known])]),
    ...(view.incomplete ? [of('more enforcers have disconnected than it remembers')] : []),
    ...(view.settled ? [] : [of('it was started a short time ago and may not know all enforcers yet')]),
  ]
}

const notConfirmed: Readonly<Record<Exclude<KnownVersion, 'confirmed'>, string>> = {
  ahead: 'it has not read this version yet',
  different: 'it has another entry at this version: the log has lost its tail',
  trimmed: 'it does not know this version any more',
}

/**
 * What one enforcer lacks. Where it is connected, all of its connections must have the version; that it was connected
 * elsewhere before does not matter then.
 */
function lackOf(sightings: readonly Sighting[], published: PublishedVersion): string | undefined {
  const { label, instance } = (sightings[0] as Sighting).enforcer
  const of = (lack: string) => `enforcer ${label} ${instance}: ${lack}`
  const connected = sightings.filter(({ enforcer }) => enforcer.connected)
  if (connected.length === 0) return of('disconnected')
  if (connected.some(({ enforcer }) => enforcer.nackError !== undefined)) return of('refuses what it is sent')
  if (!published.isByJti && connected.some(({ enforcer }) => enforcer.partial))
    return of('can be told of single tokens only')
  if (connected.every(sighting => hasVersion(sighting, published))) return undefined
  return of('has not this version yet')
}

const hasVersion = ({ enforcer, trusted }: Sighting, { version }: PublishedVersion): boolean =>
  trusted && enforcer.leastAckedVersion >= version

function shortened(reasons: readonly string[]): readonly string[] {
  if (reasons.length <= reasonsLimit) return reasons
  return [...reasons.slice(0, reasonsLimit - 1), `and ${reasons.length - reasonsLimit + 1} more`]
}
