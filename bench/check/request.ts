/**
 * What is asked: an access token of about 800 B, and a CheckRequest of about 1.2 kB around it, as a real Envoy sends
 * one that was not told to send less.
 *
 * @module
 */
import { type TestIssuer, testAudience } from '../../test/support/issuer.ts'
import { encode, loadUpstream } from '../../test/support/proto-definitions.ts'

/** A token and the claims that revocations may name. */
export interface BenchToken {
  readonly text: string
  readonly jti: string
}

const lifetimeSeconds = 4 * 3600

/** Has a token signed (RS256, 2048 bits), with the claims of a user's access token. */
export const createToken = async (issuer: TestIssuer, jti: string): Promise<BenchToken> => {
  const iat = Math.floor(Date.now() / 1000)
  const text = await issuer.sign({
    aud: testAudience,
    sub: 'a6d1e7c0-5f5b-4a4e-9a86-0c8a3f0c9b11',
    jti,
    sid: '4cf9b7de-1f2a-4b0b-8f0e-3b1de8f5f7a2',
    client_id: 'bench-client',
    scope: 'openid profile orders:read orders:write',
    iat,
    exp: iat + lifetimeSeconds,
  })
  return { text, jti }
}

/** The bytes of a CheckRequest with the full upstream definitions, not with our trimmed ones. */
export const createCheckRequests = (): ((token: string) => Buffer) => {
  const type = loadUpstream(['envoy/service/auth/v3/external_auth.proto']).lookupType(
    'envoy.service.auth.v3.CheckRequest',
  )
  const time = { seconds: String(Math.floor(Date.now() / 1000)), nanos: 123_456_000 }
  const peer = (address: string, portValue: number) => ({
    address: { socketAddress: { address, portValue } },
  })
  return token =>
    Buffer.from(
      encode(type, {
        attributes: {
          source: peer('10.42.7.19', 48_312),
          destination: peer('10.42.3.5', 9095),
          request: {
            time,
            http: {
              id: '6471234985723498572',
              method: 'GET',
              path: '/orders/1234?expand=lines',
              host: 'api.example.test',
              scheme: 'https',
              protocol: 'HTTP/2',
              headers: {
                ':authority': 'api.example.test',
                ':method': 'GET',
                ':path': '/orders/1234?expand=lines',
                ':scheme': 'https',
                accept: 'application/json',
                authorization: `Bearer ${token}`,
                'user-agent': 'orders-web/3.1',
                'x-forwarded-proto': 'https',
                'x-request-id': '6b0c1e9e-2f4c-4c39-9b7e-0a4a5a9f8f10',
              },
            },
          },
        },
      }),
    )
}
