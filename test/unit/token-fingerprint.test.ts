/** Test vectors of `$token`, computed independently (docs/protocol.md). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jwtFingerprint, opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import { parseJwt } from '../../token/jwt.ts'
import { flipPadBits, rawToken } from '../support/token-issuer.ts'

const octets = (text: string) => Buffer.from(text, 'utf8')

function fingerprintOf(token: string): string {
  const jwt = parseJwt(token)
  assert.ok(jwt)
  return jwtFingerprint(jwt.headerOctets, jwt.payloadOctets)
}

describe('$token', () => {
  it('of a JWT is SHA-256 over the length-prefixed header and payload octets', () => {
    const token = rawToken('{"alg":"RS256","kid":"k1"}', '{"iss":"https://op.example","jti":"a"}')
    assert.equal(fingerprintOf(token), 'SPDQOpcOxWRk7IEQMeex4Gcuz8skNlcS21BGz5Ocj3Y')
    assert.equal(jwtFingerprint(octets(''), octets('')), 'r1Vw9aGBC3r3jK9LxwpmDw31HkK6-R1N5bIyjeDoPfw')
  })

  it('of an opaque token is SHA-256 over its length-prefixed UTF-8 octets', () => {
    assert.equal(opaqueFingerprint('opaque-token'), '3Hzfh4DTOE2jZNiQF4eOggQhOyN00gkq09RFwDFSIQk')
    assert.equal(opaqueFingerprint('tök€n'), '9tfahBu4uUs_0c1ytChsgTgwtFV0T0qLeqyiliBoIjs')
    assert.equal(opaqueFingerprint(''), '3z9hmASpL9tAVxktxD3XSOp3itxSvEmM6AUkwBS4ERk')
  })

  it('does not change with pad bits or with the signature', () => {
    const token = rawToken({ alg: 'RS256', kid: 'x' }, { a: 12 }, octets('one'))
    const [header, payload] = token.split('.') as [string, string]
    assert.notEqual(header.length % 4, 0)
    assert.equal(fingerprintOf(`${flipPadBits(header)}.${payload}.b3RoZXI`), fingerprintOf(token))
  })

  it('keeps apart what only moves an octet from header to payload', () => {
    assert.notEqual(jwtFingerprint(octets('ab'), octets('c')), jwtFingerprint(octets('a'), octets('bc')))
  })
})
