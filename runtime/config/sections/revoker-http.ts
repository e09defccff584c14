/**
 * How the revoker is reached over HTTP, and what its answers carry.
 *
 * @module
 */
import Type from 'typebox'
import { choice, httpUrl, list, listenAddress, section, text } from '../fields.ts'

const file = (description: string) =>
  Type.Optional(text('the path of a file', { maxLength: 4_096, description }))

/** Settings of `revoker` that are about HTTP. */
export const httpProperties = {
  address: listenAddress({
    default: '127.0.0.1:8280',
    description: 'Where POST /oauth2/revoke, POST /revoke and the admin API are served.',
  }),
  tls: section('The same over HTTPS; the files hold PEM and are read again when they change.', {
    address: listenAddress({
      default: '127.0.0.1:9443',
      description: 'Where it is served over HTTPS, if certFile is set.',
    }),
    certFile: file('The certificate, with those between it and the authority. Turns HTTPS on.'),
    keyFile: file('The private key of certFile.'),
    clientCaFile: file(
      'Certificates of the authorities of administrators who prove themselves by a certificate. Others need none.',
    ),
  }),
  publicUrl: Type.Optional(
    httpUrl({
      description:
        'The URL under which clients reach it, without a path: named in its metadata, and in the "aud" of assertions. Default: made of tls.address or address.',
    }),
  ),
  trustedProxies: list(
    text('an IP address or network such as 10.0.0.0/8', {
      maxLength: 64,
      pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$',
      description: 'One address or network.',
    }),
    {
      maxItems: 64,
      uniqueItems: true,
      description: 'Proxies whose X-Forwarded-For is believed when limits are counted and logs are written.',
    },
  ),
  corsOrigins: list(
    text('an origin such as https://app.example', {
      maxLength: 512,
      pattern: '^https?://[^/?#]+$',
      description: 'One origin.',
    }),
    {
      maxItems: 256,
      uniqueItems: true,
      description: 'Origins whose scripts may use the revocation endpoint (CORS).',
    },
  ),
  responseHeaders: choice(['wso2', 'gateway', 'none'], {
    default: 'wso2',
    description:
      'Which headers tell what was revoked: those of WSO2, also those that its gateway adds, or none. Relayed answers keep their own.',
  }),
  tenantDomain: text('a domain such as carbon.super', {
    default: 'carbon.super',
    maxLength: 253,
    pattern: '^[A-Za-z0-9._-]+$',
    description: 'The domain after the user name in the AuthorizedUser response header (WSO2).',
  }),
}
