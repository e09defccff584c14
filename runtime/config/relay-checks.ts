/**
 * Rules between the settings of the relay.
 *
 * @module
 */
import type { Config } from './schema.ts'
import type { Problem } from './validate.ts'

/** What is wrong with `revoker.relay`. */
export function relayProblems({ issuers, revoker: { relay, clients } }: Config): Problem[] {
  if (relay.endpoint === undefined) return []
  const { introspection } = relay
  const at = (name: string, message: string, isWrong: boolean): Problem[] =>
    isWrong ? [{ path: ['revoker', 'relay', ...name.split('.')], message }] : []
  const missing = (name: 'clientId' | 'clientSecret') =>
    introspection.endpoint !== undefined && introspection[name] === undefined
  return [
    ...at(
      'issuer',
      `is missing: it may be left out only when exactly one issuer is configured (there are ${issuers.length})`,
      relay.issuer === undefined && issuers.length !== 1,
    ),
    ...at(
      'issuer',
      'is not the issuer of any of the configured issuers',
      relay.issuer !== undefined && !issuers.some(({ issuer }) => issuer === relay.issuer),
    ),
    ...at('introspection.clientId', 'is missing: introspection asks for it', missing('clientId')),
    ...at('introspection.clientSecret', 'is missing: introspection asks for it', missing('clientSecret')),
    ...at(
      'revokeAnyway',
      'needs revoker.clients: while the identity provider is away nobody else can authenticate them',
      relay.revokeAnyway && clients.length === 0,
    ),
  ]
}
