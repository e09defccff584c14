/**
 * Claim sets: which claims a key is derived from. An enforcer derives one key per set in use, so sets are few:
 * the built-in ones, and at most 16 that were declared in the log.
 *
 * @module
 */
import { checkName, type OwnName } from './claims.ts'
import { RescindError } from './error.ts'

/** Claim names, and whether only tokens issued before a time are meant. */
export interface ClaimSet {
  /** Sorted by their UTF-8 bytes, without repetition. */
  readonly names: readonly string[]
  /** A *cut* has issuedBefore; a *block* (false) rejects whatever the iat. */
  readonly cut: boolean
}

/** Most sets that can be declared in a log. */
export const declaredClaimSetsLimit = 16

/** Most claims in one set. */
export const claimSetNamesLimit = 8

/**
 * A set of these names; of built-in ones always the same object.
 *
 * @throws RescindError ERR_REVOCATION_INVALID for no name, too many, or one that is not allowed.
 */
export const createClaimSet = (names: readonly string[], cut: boolean): ClaimSet =>
  builtInSet(names, cut) ?? sortedClaimSet(names, cut)

function sortedClaimSet(names: readonly string[], cut: boolean): ClaimSet {
  const sorted = [...new Set(names)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (sorted.length === 0 || sorted.length > claimSetNamesLimit) {
    throw new RescindError(
      'ERR_REVOCATION_INVALID',
      `match: must name 1 to ${claimSetNamesLimit} claims, for example {"iss": "...", "sub": "..."}`,
    )
  }
  for (const name of sorted) checkName(name)
  return { names: sorted, cut }
}

/** Text that two equal sets share and two different ones do not. */
export const claimSetId = (set: ClaimSet): string => JSON.stringify([set.cut, ...set.names])

const oneClaim: readonly (string | OwnName)[] = ['jti', '$token', 'sub', 'sid', '$client']

const admittedNames: readonly (readonly string[])[] = [
  ...[...oneClaim.map(name => [name]), ['sub', '$client'], ['sid', '$client']].flatMap(names => [
    names,
    ['iss', ...names],
  ]),
  ['iss'],
  ['iss', '$kid'],
  ['$signature'],
]

/** The sets that are always admitted, each as block and as cut. */
export const builtInClaimSets: readonly ClaimSet[] = admittedNames.flatMap(names => [
  sortedClaimSet(names, false),
  sortedClaimSet(names, true),
])

/** The sets of the names on the way here; a further name leads on. */
interface NamesNode {
  readonly next: Map<string, NamesNode>
  readonly sets: { block?: ClaimSet; cut?: ClaimSet }
}

const createNode = (): NamesNode => ({ next: new Map(), sets: {} })

/** The built-in sets by their names in any order: most revocations are of these, and a reader meets millions. */
const builtInNames = createNode()
for (const set of builtInClaimSets) {
  for (const names of orders(set.names)) {
    let node = builtInNames
    for (const name of names) {
      const next = node.next.get(name) ?? createNode()
      node.next.set(name, next)
      node = next
    }
    node.sets[set.cut ? 'cut' : 'block'] = set
  }
}

function builtInSet(names: readonly string[], cut: boolean): ClaimSet | undefined {
  let node: NamesNode | undefined = builtInNames
  for (const name of names) node = node?.next.get(name)
  return node?.sets[cut ? 'cut' : 'block']
}

function orders(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length < 2) return [names]
  return names.flatMap(first => orders(names.filter(name => name !== first)).map(rest => [first, ...rest]))
}
