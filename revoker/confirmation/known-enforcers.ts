/**
 * Which enforcers adapters know, and which of them have a version: for people, who want to know where a token is rejected.
 *
 * @module
 */
import type { LogFollower } from '../../event-log/follow.ts'
import type { AdapterSources } from './adapter-sources.ts'
import type { EnforcerView } from './fleet-view.ts'

/** An enforcer, as adapters know it. */
export interface KnownEnforcer {
  readonly instance: string
  readonly label: string
  /** The version that it said it has; -1 if none. */
  readonly version: number
  readonly connected: boolean
  /** It has the version that was asked for, in the log as this revoker knows it. */
  readonly has: boolean
}

/** Asks adapters which enforcers have a version. */
export type AskEnforcers = (version: number) => Promise<readonly KnownEnforcer[]>

/** For how long an adapter may read on to where this revoker is. */
const waitMs = 500

/** Creates the question; adapters that do not answer are left out. */
export const createAskEnforcers =
  (sources: AdapterSources, { state }: Pick<LogFollower, 'state'>): AskEnforcers =>
  async version => {
    const { position, digest, epoch } = state
    const stop = new AbortController()
    const adapters = await sources.current()
    const answers = await Promise.all(
      adapters.map(adapter => adapter.ask({ version: position, digest }, waitMs, stop.signal)),
    )
    const known = new Map<string, KnownEnforcer>()
    for (const { view } of answers) {
      const isSameLog = view?.epoch === epoch && view?.known === 'confirmed'
      for (const enforcer of view?.nodes ?? []) {
        const name = nameOf(enforcer)
        // Where it is connected counts; that it was elsewhere before does not.
        if (!enforcer.connected && known.has(name)) continue
        known.set(name, knownEnforcer(enforcer, isSameLog, version))
      }
    }
    return [...known.values()]
  }

const nameOf = ({ identity, label, instance }: EnforcerView): string =>
  JSON.stringify([identity ?? null, label, instance])

const knownEnforcer = (
  { instance, label, connected, leastAckedVersion }: EnforcerView,
  isSameLog: boolean,
  version: number,
): KnownEnforcer => ({
  instance,
  label,
  version: leastAckedVersion,
  connected,
  has: isSameLog && leastAckedVersion >= version,
})
