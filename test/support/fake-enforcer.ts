/**
 * A stand-in for the enforcer, to test Envoy's configuration alone: ext_authz and gRPC health with fixed answers.
 *
 * @module
 */
import * as grpc from '@grpc/grpc-js'
import {
  type CheckRequestMessage,
  checkPath,
  checkRequestCodec,
  checkResponseCodec,
  type HealthMessage,
  healthService,
} from '../../proto/wire.ts'

/** A running stand-in on 127.0.0.1. */
export interface FakeEnforcer {
  readonly port: number
  /** The checks that it was asked. */
  readonly checks: readonly CheckRequestMessage[]
  /** How its gRPC health is answered; true at first. */
  serving: boolean
  stop(): Promise<void>
}

const bytes = (value: Buffer): Buffer => value
const check: grpc.MethodDefinition<Buffer, Buffer> = {
  path: checkPath,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

/** Starts an enforcer that lets everything pass, or answers every check with the gRPC status `failWith`. */
export const startFakeEnforcer = async (options: { failWith?: grpc.status } = {}): Promise<FakeEnforcer> => {
  const checks: CheckRequestMessage[] = []
  const allow = checkResponseCodec.encode({ status: { code: 0 } })
  const server = new grpc.Server()
  server.addService(
    { check },
    {
      check(call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) {
        checks.push(checkRequestCodec.decode(call.request))
        if (options.failWith === undefined) answer(null, allow)
        else answer({ code: options.failWith, details: 'as told' })
      },
    },
  )
  server.addService(healthService, {
    check(_call: unknown, answer: grpc.sendUnaryData<HealthMessage>) {
      answer(null, { status: self.serving ? 'SERVING' : 'NOT_SERVING' })
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const self: FakeEnforcer = {
    port,
    checks,
    serving: true,
    async stop() {
      server.forceShutdown()
    },
  }
  return self
}
