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

/** A name in a certificate. Authorities check the kinds differently, so one does not stand for another. */
export interface PeerName {
  readonly kind: 'uri' | 'dns' | 'cn'
  /** Printable ASCII, at most 256 characters. */
  readonly name: string
  /** The name is as the certificate has it; else others may look the same. */
  readonly isExact: boolean
}

/**
 * The name in a certificate: the first URI among its alternative names (as SPIFFE has it), else the first DNS name, else
 * the common name. A name that could mislead keeps its quotes. Whether the
 * certificate is genuine is not asked here.
 */
export function peerName(certificate: PeerCertificate | undefined): PeerName | undefined {
  const names = [...(certificate?.subjectaltname ?? '').matchAll(alternativeName)]
  const first = (type: string) => names.find(([, of, name]) => of === type && name !== '')?.[2]
  const [commonName] = [certificate?.subject?.CN ?? []].flat()
  const kinds = { uri: first('URI'), dns: first('DNS'), cn: commonName } as const
  for (const kind of ['uri', 'dns', 'cn'] as const) {
    const text = kinds[kind]
    if (!text) continue
    const name = printable(text).slice(0, textLimit)
    return { kind, name, isExact: name === text }
  }
  return undefined
}

/** {@link peerName} without its kind, for people. */
export const peerIdentity = (certificate: PeerCertificate | undefined): string | undefined =>
  peerName(certificate)?.name
