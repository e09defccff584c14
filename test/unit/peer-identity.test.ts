/** Who an enforcer is, by the names in its certificate. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { peerIdentity, peerName } from '../../runtime/tls/peer-identity.ts'

const certificate = (subjectaltname: string | undefined, CN: string | string[] | undefined = 'common') =>
  ({ subject: { CN }, subjectaltname }) as unknown as PeerCertificate

test('is the first URI, else the first DNS name, else the common name', () => {
  const identity = (names: string | undefined, CN?: string | string[]) => peerIdentity(certificate(names, CN))
  assert.equal(identity('DNS:a.test, URI:spiffe://shop/edge, URI:spiffe://other'), 'spiffe://shop/edge')
  assert.equal(identity('IP Address:127.0.0.1, DNS:a.test, DNS:b.test'), 'a.test')
  assert.equal(identity('IP Address:127.0.0.1'), 'common')
  assert.equal(identity(undefined), 'common')
  assert.equal(identity(undefined, ['first', 'second']), 'first')
  assert.equal(peerIdentity({ subject: {} } as PeerCertificate), undefined)
  assert.equal(peerIdentity({} as PeerCertificate), undefined)
  assert.equal(peerIdentity(undefined), undefined)
})

test('is not fooled by a name that looks like several', () => {
  assert.equal(
    peerIdentity(certificate('DNS:"a.test, URI:spiffe://shop/admin", DNS:b.test')),
    '"a.test, URI:spiffe://shop/admin"',
  )
  assert.equal(peerIdentity(certificate('DirName:"CN = x\\u002c URI:spiffe://y", DNS:b.test')), 'b.test')
  assert.equal(peerIdentity(certificate('othername:<unsupported>, URI:spiffe://a')), 'spiffe://a')
  assert.equal(peerIdentity(certificate('DNS:"unfinished, URI:spiffe://a')), 'common')
})

test('is printable and bounded, whatever the certificate says', () => {
  assert.equal(peerIdentity(certificate(undefined, 'a\u001b[2Jb\nc\u00fc')), 'a?[2Jb?c?')
  assert.equal(peerIdentity(certificate(`URI:spiffe://${'x'.repeat(5_000)}`))?.length, 256)
})

test('has its kind, and says whether another name could look the same', () => {
  const nameOf = (names: string | undefined, CN?: string) => peerName(certificate(names, CN))
  assert.deepEqual(nameOf('DNS:a.test'), { kind: 'dns', name: 'a.test', isExact: true })
  assert.deepEqual(nameOf('URI:spiffe://a, DNS:a.test'), { kind: 'uri', name: 'spiffe://a', isExact: true })
  assert.deepEqual(nameOf(undefined, 'ops'), { kind: 'cn', name: 'ops', isExact: true })
  assert.equal(nameOf(undefined, 'op\u00fcs')?.isExact, false)
  assert.equal(nameOf(`URI:spiffe://${'x'.repeat(5_000)}`)?.isExact, false)
})
