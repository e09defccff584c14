/**
 * The client certificate of a request, where the server asks for one (mTLS).
 *
 * @module
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { peerName } from '../../runtime/tls/peer-identity.ts'

/**
 * The name in the certificate that the client proved to have, with its kind, as `uri:spiffe://corp/ops`; undefined without
 * TLS, if an authority is missing, if the name is longer than 256 characters or not printable, or once the certificate has
 * expired, also on a connection that was opened before.
 *
 * @param nowSeconds wall clock.
 */
export function certificateName(socket: Socket, nowSeconds: number): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const certificate = socket.getPeerCertificate()
  if (!(Date.parse(certificate.valid_to) / 1000 > nowSeconds)) return undefined
  const found = peerName(certificate)
  return found?.isExact ? `${found.kind}:${found.name}` : undefined
}
