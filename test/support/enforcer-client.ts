/**
 * Asks an enforcer as Envoy does (ext_authz and gRPC health), and as Envoy never would.
 *
 * @module
 */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import {
  type CheckResponseMessage,
  checkPath,
  checkRequestCodec,
  checkResponseCodec,
  type HealthMessage,
  healthService,
} from '../../proto/wire.ts'

/** What an enforcer says of one request. */
export interface Decision {
  /** google.rpc.Code of the CheckResponse: 0 lets the request pass, 16 (UNAUTHENTICATED) denies it. */
  readonly code: number | undefined
  /** The HTTP status of a denial; 200 if the request passes. */
  readonly status: number
  /** Why it was denied, from the dynamic metadata; undefined if the request passes. */
  readonly reason: string | undefined
  readonly answer: CheckResponseMessage
}

/** A client of one enforcer. */
export interface EnforcerClient {
  /** The decision about a request with these headers. Rejects with a gRPC error if there is none. */
  check(headers: Readonly<Record<string, string>>): Promise<Decision>
  /** The decision about a request with this bearer token. */
  checkToken(token: string): Promise<Decision>
  /** Sends any bytes as a CheckRequest. */
  checkBytes(request: Buffer): Promise<Decision>
  /** Resolves when there is a connection: after a restart the client may still wait before it tries again. */
  connected(): Promise<void>
  /** The gRPC health. Rejects if nobody answers. */
  health(): Promise<HealthMessage['status']>
  close(): void
}

const deadlineMs = 5_000

/** Creates a client of the enforcer at 127.0.0.1:`port`; it connects when it is first used. */
export const createEnforcerClient = (port: number): EnforcerClient => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  })
  const checkBytes = async (request: Buffer): Promise<Decision> =>
    decisionOf(
      await call<CheckResponseMessage>(client, checkPath, request, bytes => checkResponseCodec.decode(bytes)),
    )
  const check = (headers: Readonly<Record<string, string>>): Promise<Decision> =>
    checkBytes(checkRequestCodec.encode({ attributes: { request: { http: { headers } } } }))
  const { path, responseDeserialize } = healthService.Check
  return {
    check,
    checkToken: token => check({ authorization: `Bearer ${token}` }),
    checkBytes,
    connected: () =>
      new Promise((done, fail) => {
        client.waitForReady(Date.now() + deadlineMs, error => (error ? fail(error) : done()))
      }),
    health: async () => (await call(client, path, Buffer.alloc(0), responseDeserialize)).status,
    close: () => client.close(),
  }
}

const decisionOf = (answer: CheckResponseMessage): Decision => ({
  code: answer.status?.code,
  status: answer.deniedResponse?.status?.code ?? 200,
  reason: answer.dynamicMetadata?.fields?.reason?.stringValue,
  answer,
})

const call = <Answer>(
  client: Client,
  path: string,
  request: Buffer,
  decode: (bytes: Buffer) => Answer,
): Promise<Answer> =>
  new Promise((done, fail) => {
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      decode,
      request,
      { deadline: Date.now() + deadlineMs },
      (error: ServiceError | null, answer?: Answer) =>
        error === null && answer !== undefined ? done(answer) : fail(error),
    )
  })
