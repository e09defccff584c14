/**
 * `rescind claim-sets`: which claims revocations may name together, through the admin API.
 *
 * @module
 */
import { printable } from '../../runtime/printable.ts'
import { askAdminApi } from '../admin-api.ts'
import { printJson, printLines } from '../printing.ts'
import { tableLines } from '../table.ts'

/** Options of both commands. */
export interface ClaimSetsOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly json?: boolean
}

/** Options of `declare`. */
export interface DeclareOptions extends ClaimSetsOptions {
  /** For cuts instead of blocks. */
  readonly cut?: boolean
}

interface ClaimSetAnswer {
  readonly names: readonly string[]
  readonly cut: boolean
}

/** The answer of `GET /claim-sets`. */
interface ListAnswer {
  readonly claimSets: readonly (ClaimSetAnswer & { readonly builtIn: boolean; readonly version?: number })[]
  readonly declared: number
  readonly limit: number
}

/** The answer of `POST /claim-sets`. */
interface DeclareAnswer extends ClaimSetAnswer {
  readonly version: number
  readonly already: boolean
}

/**
 * Prints the claim sets.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function listClaimSets({ server, json }: ClaimSetsOptions): Promise<void> {
  const answer = await askAdminApi<ListAnswer>(server, { method: 'GET', path: '/claim-sets' })
  if (json === true) {
    printJson(answer)
    return
  }
  const rows = answer.claimSets.map(({ names, cut, builtIn, version }) => [
    names.join(' + '),
    kindOf(cut),
    builtIn ? 'built in' : `declared in version ${version}`,
  ])
  printLines([
    ...tableLines(['claims', 'kind', 'since'], rows),
    `${answer.declared} of ${answer.limit} are declared`,
  ])
}

/**
 * Declares a claim set.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function declareClaimSet(names: readonly string[], options: DeclareOptions): Promise<void> {
  const body = { names, cut: options.cut === true }
  const answer = await askAdminApi<DeclareAnswer>(options.server, {
    method: 'POST',
    path: '/claim-sets',
    body,
  })
  if (options.json === true) {
    printJson(answer)
    return
  }
  const { already, cut, version } = answer
  const what = answer.names.map(printable).join(' + ')
  printLines([`declared${already ? ' (it was already)' : ''}: ${what}, ${kindOf(cut)}`, `version ${version}`])
}

const kindOf = (cut: boolean): string => (cut ? 'cut (issued until a time)' : 'block (until a time)')
