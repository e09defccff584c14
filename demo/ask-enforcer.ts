/**
 * Asks an enforcer as Envoy does: one ext_authz Check over gRPC.
 *
 * @module
 */
import { Client, credentials } from '@grpc/grpc-js'
import { type CheckResponseMessage, checkPath, checkRequestCodec, checkResponseCodec } from '../proto/wire.ts'

/** The answer as the HTTP answer that Envoy would give. */
export async function askEnforcer(port: number, token: string): Promise<{ status: number; body: string }> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  try {
    const answer = await check(client, token)
    const denied = answer.deniedResponse
    return denied ? { status: denied.status?.code ?? 403, body: denied.body } : { status: 200, body: '' }
  } finally {
    client.close()
  }
}

function check(client: Client, token: string): Promise<CheckResponseMessage> {
  const request = { attributes: { request: { http: { headers: { authorization: `Bearer ${token}` } } } } }
  return new Promise((done, fail) => {
    client.makeUnaryRequest(
      checkPath,
      checkRequestCodec.encode,
      checkResponseCodec.decode,
      request,
      (error, answer) => (error === null && answer !== undefined ? done(answer) : fail(error)),
    )
  })
}
