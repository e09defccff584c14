/**
 * Where an issuer's keys are: given, or found in its metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { isJsonObject, ownMember } from '../revocation/json-object.ts'
import type { FetchedJson } from './fetch-json.ts'

/** Gets one JSON document. */
export type GetJson = (url: URL) => Promise<FetchedJson>

/**
 * Checks an http(s) URL from the configuration.
 *
 * @param where names the setting in the message
 * @throws RescindError ERR_CONFIG_INVALID
 */
export function parseHttpUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    const message = `${where}: must be an http(s) URL without credentials, got ${JSON.stringify(text)}`
    throw new RescindError('ERR_CONFIG_INVALID', message)
  }
  return url
}

/** The metadata URLs of an issuer, in the order in which they are asked. */
export function metadataUrls(issuer: URL): readonly [URL, URL] {
  const path = issuer.pathname.replace(/\/$/, '')
  // RFC 8414 section 3.1 puts the well-known part between host and path.
  return [
    withPath(issuer, `${path}/.well-known/openid-configuration`),
    withPath(issuer, `/.well-known/oauth-authorization-server${path}`),
  ]
}

/** Set as a path, not resolved as a reference: one that begins with // would name another host. */
function withPath(issuer: URL, path: string): URL {
  const url = new URL(issuer.origin)
  url.pathname = path
  return url
}

/**
 * Finds the JWKS URL of an issuer in its metadata.
 *
 * @param issuer exactly as tokens and metadata name it
 * @throws RescindError ERR_REQUEST_FAILED if there is no metadata, or it is another issuer's, or names no usable URL
 */
export async function discoverJwksUri(issuer: string, getJson: GetJson): Promise<URL> {
  const issuerUrl = new URL(issuer)
  const [openidUrl, oauthUrl] = metadataUrls(issuerUrl)
  const openid = await getJson(openidUrl)
  if (openid.found) return readMetadata(issuer, issuerUrl, openidUrl, openid.document)
  const oauth = await getJson(oauthUrl)
  if (oauth.found) return readMetadata(issuer, issuerUrl, oauthUrl, oauth.document)
  const message = `${issuer}: no metadata at ${openidUrl.href} nor at ${oauthUrl.href}; configure jwksUri`
  throw new RescindError('ERR_REQUEST_FAILED', message)
}

function readMetadata(issuer: string, issuerUrl: URL, from: URL, document: unknown): URL {
  const metadata = isJsonObject(document) ? document : {}
  const named = ownMember(metadata, 'issuer')
  if (named !== issuer) {
    // Else one issuer could hand out keys for another (RFC 8414 section 3.3).
    const message = `${from.href}: is the metadata of ${shortText(named)}, not of ${JSON.stringify(issuer)}`
    throw new RescindError('ERR_REQUEST_FAILED', message)
  }
  const jwksUri = ownMember(metadata, 'jwks_uri')
  const url = typeof jwksUri === 'string' && URL.canParse(jwksUri) ? new URL(jwksUri) : undefined
  const protocols = issuerUrl.protocol === 'https:' ? ['https:'] : ['http:', 'https:']
  if (url === undefined || !protocols.includes(url.protocol)) {
    const message = `${from.href}: jwks_uri must be a URL (${protocols.join(' or ')}), got ${shortText(jwksUri)}`
    throw new RescindError('ERR_REQUEST_FAILED', message)
  }
  return url
}

/** What somebody else wrote, cut to a length that a log line can bear. */
function shortText(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200)
}
