/**
 * Authenticates OAuth clients at the revocation endpoint: Basic or post body (RFC 6749 section 2.3.1).
 *
 * @module
 */
import { createSecretVerifier } from '../token/secret.ts'

/** A client of the configuration. */
export interface ConfiguredClient {
  readonly id: string
  /** The issuer whose tokens it may revoke. */
  readonly issuer: string
  /** See `hashSecret`. */
  readonly secretHash: string
}

/** Credentials as a request carries them. */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/** How a client's credentials came, or why there are none. */
export type CredentialsFound =
  | { readonly credentials: ClientCredentials; readonly inHeader: boolean }
  | { readonly problem: string; readonly inHeader: boolean }

/** Finds out who asks. */
export interface ClientAuthenticator {
  /**
   * The clients (one for each issuer) that these credentials prove; empty if they prove none.
   *
   * @throws RescindError ERR_OVERLOADED
   */
  authenticate(credentials: ClientCredentials): Promise<readonly ConfiguredClient[]>
}

const basic = /^basic +([A-Za-z0-9+/]+={0,2})$/i

/** Reads the credentials of a request; both ways at once are refused (RFC 6749 section 2.3). */
export function findCredentials(
  authorization: string | undefined,
  form: Readonly<Record<string, string>>,
): CredentialsFound {
  const inHeader = authorization !== undefined
  if (inHeader && form.client_secret !== undefined) {
    return { problem: 'client credentials in header and body at once', inHeader }
  }
  if (!inHeader) {
    if (form.client_id === undefined || form.client_secret === undefined) {
      return { problem: 'client credentials are missing', inHeader }
    }
    return { credentials: { id: form.client_id, secret: form.client_secret }, inHeader }
  }
  const credentials = decodeBasic(authorization)
  if (credentials === undefined) return { problem: 'the Authorization header is not Basic', inHeader }
  if (form.client_id !== undefined && form.client_id !== credentials.id) {
    return { problem: 'client_id differs from the one in the Authorization header', inHeader }
  }
  return { credentials, inHeader }
}

/** Creates an authenticator for the configured clients. */
export function createClientAuthenticator(clients: readonly ConfiguredClient[]): ClientAuthenticator {
  const secrets = createSecretVerifier()
  // In a line of their own: requests with invented client ids must not keep clients waiting.
  const strangers = createSecretVerifier()
  const byId = new Map<string, ConfiguredClient[]>()
  for (const client of clients) byId.set(client.id, [...(byId.get(client.id) ?? []), client])
  return {
    async authenticate({ id, secret }) {
      const candidates = byId.get(id)
      if (candidates === undefined) {
        await strangers.verify('', secret, undefined)
        return []
      }
      const proven: ConfiguredClient[] = []
      for (const client of candidates) {
        if (await secrets.verify(`client ${id} ${client.issuer}`, secret, client.secretHash))
          proven.push(client)
      }
      return proven
    },
  }
}

/** Both parts are form-url-encoded before they are joined (RFC 6749 section 2.3.1). */
function decodeBasic(authorization: string): ClientCredentials | undefined {
  const encoded = basic.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const id = formDecode(text.slice(0, colon))
  const secret = formDecode(text.slice(colon + 1))
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
