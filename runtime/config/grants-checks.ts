/**
 * Rules between the settings of the token registry.
 *
 * @module
 */
import type { Config } from './schema.ts'
import type { Problem } from './validate.ts'

/** What is wrong with `revoker.grants.feeders`. */
export function feederProblems({ issuers, revoker: { grants } }: Config): Problem[] {
  const known = new Set(issuers.map(({ issuer }) => issuer))
  return grants.feeders.flatMap(({ name, issuers: reported }, index) => {
    const path = ['revoker', 'grants', 'feeders', index]
    const first = grants.feeders.findIndex(other => other.name === name)
    const same = `is the same as revoker.grants.feeders[${first}].name; names tell feeders apart`
    const unknown = 'is not the issuer of any of the configured issuers'
    return [
      ...(first === index ? [] : [{ path: [...path, 'name'], message: same }]),
      ...reported.flatMap((issuer, at) =>
        known.has(issuer) ? [] : [{ path: [...path, 'issuers', at], message: unknown }],
      ),
    ]
  })
}

/** Who reports tokens must reach a registry. */
export function issuedFormatProblems({ revoker: { grants, inbox } }: Config): Problem[] {
  if (grants.store !== 'none') return []
  const message = 'has tokens-issued, which needs the token registry: set revoker.grants.store'
  const inboxes = inbox.flatMap(({ formats }, index): Problem[] =>
    formats.includes('tokens-issued') ? [{ path: ['revoker', 'inbox', index, 'formats'], message }] : [],
  )
  if (grants.feeders.length === 0) return inboxes
  const path = ['revoker', 'grants', 'store']
  return [{ path, message: 'must be lmdb or redis: there are feeders, who report tokens to it' }, ...inboxes]
}
