/**
 * Asks a server for one check, as Envoy does, to see before a measurement that it answers what is expected.
 *
 * @module
 */
import { Client, credentials } from '@grpc/grpc-js'
import { type CheckResponseMessage, checkPath, checkResponseCodec } from '../../proto/wire.ts'

const sameBytes = (bytes: Buffer): Buffer => bytes

/** The answer to the bytes of a CheckRequest. */
export const ask = async (port: number, request: Buffer): Promise<CheckResponseMessage> => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  try {
    return await new Promise((done, fail) => {
      client.makeUnaryRequest(checkPath, sameBytes, checkResponseCodec.decode, request, (error, answer) =>
        error === null && answer !== undefined ? done(answer) : fail(error),
      )
    })
  } finally {
    client.close()
  }
}

/** Throws unless the request is allowed, with status 0 spelled out. */
export const expectAllowed = async (who: string, port: number, request: Buffer): Promise<void> => {
  const { status, okResponse } = await ask(port, request)
  if (status?.code !== 0 || okResponse === null)
    throw new Error(`${who} does not allow a good token: ${status?.code}`)
}

/** Throws unless the request is denied because its token was revoked. */
export const expectRevoked = async (who: string, port: number, request: Buffer): Promise<void> => {
  const answer = await ask(port, request)
  const reason = answer.dynamicMetadata?.fields?.reason?.stringValue
  if (answer.deniedResponse?.status?.code !== 401 || reason !== 'revoked')
    throw new Error(`${who} does not deny a revoked token for being revoked: ${reason ?? 'allowed'}`)
}
