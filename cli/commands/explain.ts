/**
 * `rescind explain`: what enforcers make of a token, and why, through the admin API.
 *
 * @module
 */

import { printable } from '../../runtime/printable.ts'
import { askAdminApi } from '../admin-api.ts'
import { claimsText } from '../claims.ts'
import type { HeldShown } from '../held-lines.ts'
import { heldLines } from '../held-lines.ts'
import { printJson, printLines } from '../printing.ts'
import { tokenOf } from '../standard-input.ts'
import { tableLines } from '../table.ts'

/** Options of the command. */
export interface ExplainOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly json?: boolean
}

interface ShownClaimSet {
  readonly names: readonly string[]
  readonly cut: boolean
  readonly probed: boolean
}

interface ShownEnforcer {
  readonly instance: string
  readonly label: string
  readonly version: number
  readonly connected: boolean
  readonly has: boolean
}

/** The answer of `POST /explain`. */
interface ExplainAnswer {
  readonly decision: 'allow' | 'deny' | 'undecided'
  readonly reason: string | null
  readonly verified: boolean
  readonly problem: string | null
  readonly claims: Readonly<Record<string, string>>
  readonly claimsVerified: boolean
  readonly version: number
  readonly claimSets: readonly ShownClaimSet[]
  readonly revocations: readonly HeldShown[]
  readonly enforcers?: readonly ShownEnforcer[]
}

/**
 * Explains a token; `-` reads it from standard input.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function explain(argument: string, { server, json }: ExplainOptions): Promise<void> {
  const body = { token: tokenOf(argument) }
  const answer = await askAdminApi<ExplainAnswer>(server, { method: 'POST', path: '/explain', body })
  if (json === true) printJson(answer)
  else printLines(describe(answer))
}

function describe(answer: ExplainAnswer): string[] {
  const { decision, reason, verified, problem, claims, claimsVerified, version, revocations } = answer
  const probed = answer.claimSets.filter(set => set.probed)
  return [
    `${decision}${reason === null ? '' : `: ${printable(reason)}`} (version ${version})`,
    verified ? 'the token is verified' : `the token is not verified: ${printable(problem ?? '')}`,
    ...claimLines(claims, claimsVerified),
    `looked up by: ${probed.map(setText).join(', ') || 'nothing; no revocation is of claims that it has'}`,
    ...(revocations.length === 0 ? ['no revocation rejects it'] : ['rejected by:']),
    ...revocations.flatMap(heldLines),
    ...enforcerLines(answer.enforcers),
  ]
}

function claimLines(claims: Readonly<Record<string, string>>, areVerified: boolean): string[] {
  if (Object.keys(claims).length === 0) return []
  return [`${areVerified ? 'claims' : 'claims, which anybody may have written'}: ${claimsText(claims)}`]
}

const setText = ({ names, cut }: ShownClaimSet): string =>
  `${names.map(printable).join(' + ')}${cut ? ' (issued until)' : ''}`

function enforcerLines(enforcers: readonly ShownEnforcer[] | undefined): string[] {
  if (enforcers === undefined) return []
  if (enforcers.length === 0) return ['no adapter knows an enforcer']
  return tableLines(
    ['has it', 'instance', 'label', 'version', 'connected'],
    enforcers.map(({ has, instance, label, version, connected }) => [
      has ? 'yes' : 'no',
      instance,
      label,
      String(version),
      connected ? 'yes' : 'no',
    ]),
  )
}
