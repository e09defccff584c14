/**
 * TLS towards a server that we connect to: the same settings wherever that is.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import { section, text } from '../fields.ts'

const file = (description: string) =>
  Type.Optional(text('the path of a file', { maxLength: 4_096, description }))

/** Schema of the TLS settings of a client; the files hold PEM. */
export const clientTlsSection = section(
  "TLS towards the server. The system's certificate authorities are trusted unless caFile is set.",
  {
    caFile: file('Certificates of the authorities that are trusted for this server.'),
    certFile: file('Our own certificate, for servers that ask for one (mTLS). Needs keyFile.'),
    keyFile: file('The private key of certFile.'),
    serverName: Type.Optional(
      text('a host name', {
        maxLength: 253,
        description: "The name that the server's certificate must have. Default: the host connected to.",
      }),
    ),
  },
)

/** The same, for a server whose address does not say whether to use TLS. */
export const switchedClientTls = (description: string) =>
  section(description, {
    enabled: Type.Boolean({
      default: false,
      errorMessage: 'must be true or false',
      description: 'Connect with TLS.',
    }),
    ...clientTlsSection.properties,
  })

/** TLS settings of a client as they are written. */
export type ClientTls = Static<typeof clientTlsSection>
