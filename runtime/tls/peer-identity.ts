/**
 * Who a peer is, by its certificate.
 *
 * @module
 */
import type { PeerCertificate } from 'node:tls'
import { printable } from '../printable.ts'

const textLimit = 256

/** A name as `node:tls` writes it: `URI:spiffe://a/b`, in quotes and escaped if it holds what could mislead. */
const alternativeName = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy

/**
 * The name in a certificate: the first URI among its alternative names (as SPIFFE has it), else the first DNS name, else
 * the common name. Printable ASCII, at most 256 characters; a name that could mislead keeps its quotes. Whether the
 * certificate is genuine is not asked here.
 */
export function peerIdentity(certificate: PeerCertificate | undefined): string | undefined {
  const names = [...(certificate?.subjectaltname ?? '').matchAll(alternativeName)]
  const first = (type: string) => names.find(([, of, name]) => of === type && name !== '')?.[2]
  const [commonName] = [certificate?.subject?.CN ?? []].flat()
  const identity = first('URI') ?? first('DNS') ?? commonName
  return identity === undefined || identity === '' ? undefined : printable(identity).slice(0, textLimit)
}
