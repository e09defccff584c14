/**
 * The name of a revocation outside: 64 hex digits, its id and its key. With both it can be restored without a search.
 *
 * @module
 */
import { matchKey } from './key.ts'
import type { Revocation } from './revocation.ts'

/** Where a revocation is held; each is 32 hex digits. */
export interface RevocationPlace {
  readonly id: string
  readonly key: string
}

/** The name of a revocation by where it is held. */
export const nameAt = ({ id, key }: RevocationPlace): string => `${id}${key}`

/**
 * The name of a revocation by what it matches.
 *
 * @throws RescindError ERR_REVOCATION_INVALID if nothing can match it.
 */
export const revocationName = ({
  id,
  match,
  issuedBefore,
}: Pick<Revocation, 'id' | 'match' | 'issuedBefore'>): string =>
  nameAt({ id, key: matchKey(match, issuedBefore !== undefined).key.toString('hex') })

/** Where the revocation of this name is held; undefined if it is no name. */
export function placeNamed(name: string): RevocationPlace | undefined {
  const [, id, key] = /^([0-9a-f]{32})([0-9a-f]{32})$/.exec(name) ?? []
  return id === undefined || key === undefined ? undefined : { id, key }
}
