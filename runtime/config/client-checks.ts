/**
 * Rules between the settings of the revocation endpoint's clients.
 *
 * @module
 */
import type { Config } from './schema.ts'
import type { Path } from './schema-tree.ts'
import type { Problem } from './validate.ts'

type Issuer = Config['issuers'][number]
type Client = Config['revoker']['clients'][number]

/** What is wrong with `revoker.clients`. */
export function clientProblems(issuers: readonly Issuer[], clients: readonly Client[]): Problem[] {
  const known = new Set(issuers.map(({ issuer }) => issuer))
  const seen = new Map<string, number>()
  return clients.flatMap((client, index): Problem[] => {
    const path = ['revoker', 'clients', index]
    const problems = [...proofProblems(client, path), ...issuerProblems(client, issuers, known, path)]
    if (problems.length > 0) return problems
    const key = JSON.stringify([client.id, client.issuer ?? issuers[0]?.issuer])
    const first = seen.get(key)
    if (first === undefined) seen.set(key, index)
    const message = `is the same as revoker.clients[${first}].id for the same issuer; list each client once`
    return first === undefined ? [] : [{ path: [...path, 'id'], message }]
  })
}

function issuerProblems(
  { issuer }: Client,
  issuers: readonly Issuer[],
  known: ReadonlySet<string>,
  path: Path,
): Problem[] {
  if (issuer === undefined && issuers.length !== 1) {
    const message = `is missing: it may be left out only when exactly one issuer is configured (there are ${issuers.length})`
    return [{ path: [...path, 'issuer'], message }]
  }
  if (issuer === undefined || known.has(issuer)) return []
  return [{ path: [...path, 'issuer'], message: 'is not the issuer of any of the configured issuers' }]
}

/** A client with two proofs would be as safe as the weaker one. */
function proofProblems(client: Client, path: Path): Problem[] {
  const { secretHash, jwksUri, jwksFile } = client
  const proofs = [secretHash, jwksUri, jwksFile].filter(proof => proof !== undefined).length
  if (proofs + (client.public ? 1 : 0) === 1) return []
  return [{ path, message: 'must have exactly one of secretHash, jwksUri, jwksFile and public: true' }]
}
