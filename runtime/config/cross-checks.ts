/**
 * Rules that hold between settings, which a schema cannot say.
 *
 * @module
 */
import { adminApiProblems } from './admin-api-checks.ts'
import { clientProblems } from './client-checks.ts'
import { parseDurationMs } from './duration.ts'
import { feederProblems, issuedFormatProblems } from './grants-checks.ts'
import { eventHubProblems, inboxProblems, kafkaLoginProblems } from './importer-checks.ts'
import { relayProblems } from './relay-checks.ts'
import type { Config } from './schema.ts'
import { valueAt } from './schema-tree.ts'
import { adapterTlsProblems, discoveryTlsProblems, revokerTlsProblems } from './tls-checks.ts'
import type { Problem } from './validate.ts'

/** A rule; it is asked only when the sections that it needs are valid in themselves. */
interface CrossCheck {
  readonly needs: readonly (keyof Config)[]
  /** `given` is the tree before defaults were filled in. */
  check(config: Config, given: unknown): Problem[]
}

/** What is wrong between settings whose own sections have no problem yet. */
export function crossProblems(config: Config, given: unknown, known: readonly Problem[]): Problem[] {
  const broken = new Set(known.map(({ path }) => path[0]))
  return crossChecks
    .filter(({ needs }) => !needs.some(section => broken.has(section)))
    .flatMap(({ check }) => check(config, given))
}

const crossChecks: readonly CrossCheck[] = [
  { needs: ['issuers'], check: ({ issuers }) => issuers.flatMap(issuerProblems) },
  {
    needs: ['issuers', 'revoker'],
    check: ({ issuers, revoker }) => clientProblems(issuers, revoker.clients),
  },
  { needs: ['issuers', 'revoker'], check: adminApiProblems },
  { needs: ['issuers', 'revoker', 'eventLog'], check: inboxProblems },
  { needs: ['issuers', 'revoker'], check: feederProblems },
  { needs: ['revoker'], check: issuedFormatProblems },
  { needs: ['eventLog', 'revoker'], check: kafkaLoginProblems },
  { needs: ['issuers', 'revoker'], check: eventHubProblems },
  { needs: ['revoker'], check: revokerTlsProblems },
  { needs: ['issuers', 'revoker'], check: relayProblems },
  { needs: ['adapter'], check: adapterTlsProblems },
  { needs: ['enforcer'], check: discoveryTlsProblems },
  { needs: ['enforcer'], check: snapshotProblems },
  { needs: ['enforcer', 'tokens'], check: (config, given) => tokenRuleProblems(config, given) },
]

type Issuer = Config['issuers'][number]

function issuerProblems(issuer: Issuer, index: number, issuers: readonly Issuer[]): Problem[] {
  const problems: Problem[] = []
  const first = issuers.findIndex(other => other.issuer === issuer.issuer)
  if (first < index) {
    problems.push({
      path: ['issuers', index, 'issuer'],
      message: `is the same as issuers[${first}].issuer; list each issuer once`,
    })
  }
  if (issuer.jwksUri === undefined && !/^https?:\/\//.test(issuer.issuer)) {
    problems.push({
      path: ['issuers', index, 'jwksUri'],
      message: 'is missing: the issuer is not an http(s) URL, so its keys cannot be discovered',
    })
  }
  if (parseDurationMs(issuer.jwksMaxAge) < parseDurationMs(issuer.jwksRefresh)) {
    problems.push({
      path: ['issuers', index, 'jwksMaxAge'],
      message: `must not be less than jwksRefresh, ${issuer.jwksRefresh} (was ${issuer.jwksMaxAge})`,
    })
  }
  return problems
}

/** Adapters of Choreo Connect have no versions from which an enforcer could go on. */
function snapshotProblems({ enforcer: { snapshot, discovery } }: Config): Problem[] {
  if (snapshot.file === undefined || discovery.protocol === 'delta') return []
  const message = 'has no effect with enforcer.discovery.protocol: sotw; leave it out'
  return [{ path: ['enforcer', 'snapshot', 'file'], message }]
}

/**
 * An enforcer above the adapter's values would never become ready. Only values that were written down are
 * compared: a file for an enforcer alone says nothing about the adapter's.
 */
function tokenRuleProblems({ enforcer, tokens }: Config, given: unknown): Problem[] {
  return (['clockTolerance', 'maxTokenLifetime'] as const).flatMap(name => {
    const [ours, theirs] = [enforcer[name], tokens[name]]
    if (ours === undefined || valueAt(given, ['tokens', name]) === undefined) return []
    if (parseDurationMs(ours) <= parseDurationMs(theirs)) return []
    const message = `must not be more than tokens.${name}, ${theirs} (was ${ours})`
    return [{ path: ['enforcer', name], message }]
  })
}
