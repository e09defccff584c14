/**
 * The metadata of an authorization server, as far as it revokes: `/.well-known/oauth-authorization-server` (RFC 8414).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { signatureAlgorithms } from '../../token/algorithms.ts'

/** What is advertised. */
export interface MetadataOptions {
  /** Our own URL, without a slash at its end. */
  readonly publicUrl: string
  /** How clients prove who they are; undefined: that is the identity provider's to say. */
  readonly authMethods: readonly string[] | undefined
}

/** Adds the route to a server. */
export function addMetadata(server: FastifyInstance, options: MetadataOptions): void {
  const document = metadataOf(options)
  server.get('/.well-known/oauth-authorization-server', async (_request, reply) =>
    reply.header('Cache-Control', 'public, max-age=300').send(document),
  )
}

/** The document (RFC 8414 section 2). */
export function metadataOf({ publicUrl, authMethods }: MetadataOptions): object {
  return {
    issuer: publicUrl,
    // Required; tokens are issued elsewhere.
    response_types_supported: [],
    revocation_endpoint: `${publicUrl}/oauth2/revoke`,
    ...(authMethods === undefined ? {} : { revocation_endpoint_auth_methods_supported: authMethods }),
    ...(authMethods?.includes('private_key_jwt')
      ? { revocation_endpoint_auth_signing_alg_values_supported: signatureAlgorithms }
      : {}),
  }
}

const methodNames = {
  secret: ['client_secret_basic', 'client_secret_post'],
  key: ['private_key_jwt'],
  none: ['none'],
} as const

/** The names of the ways in which configured clients prove who they are (RFC 7591 section 2). */
export const authMethodsOf = (methods: readonly (keyof typeof methodNames)[]): readonly string[] => [
  ...new Set(methods.flatMap(method => methodNames[method])),
]
