/**
 * The client certificate of a request, where the server asks for one (mTLS).
 *
 * @module
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { peerIdentity } from '../../runtime/tls/peer-identity.ts'

/** The name in the certificate that the client proved to have; undefined without TLS, or if an authority is missing. */
export function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  return peerIdentity(socket.getPeerCertificate())
}
