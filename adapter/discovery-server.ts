/**
 * The discovery service over gRPC.
 *
 * @module
 */
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { deltaRequestCodec, deltaTokensPath } from '../proto/wire.ts'
import { bindGrpcServer } from '../runtime/grpc-server.ts'
import { createDiscovery, type DiscoveryOptions } from './discovery.ts'

/** What a discovery server needs. */
export interface DiscoveryServerOptions extends DiscoveryOptions {
  readonly address: string
}

/** A running discovery server. */
export interface DiscoveryServer {
  readonly port: number
  close(): Promise<void>
}

const requestBytesLimit = 64 * 1024

const definition = {
  DeltaTokens: {
    path: deltaTokensPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: deltaRequestCodec.encode,
    requestDeserialize: deltaRequestCodec.decode,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} satisfies ServiceDefinition

/**
 * Starts serving discovery.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startDiscoveryServer(options: DiscoveryServerOptions): Promise<DiscoveryServer> {
  const discovery = createDiscovery(options)
  const server = new Server({ 'grpc.max_receive_message_length': requestBytesLimit })
  server.addService(definition, { DeltaTokens: discovery.serve })
  const credentials = ServerCredentials.createInsecure()
  const port = await bindGrpcServer(server, options.address, credentials, 'adapter.address')
  return {
    port,
    close: async () => {
      discovery.close()
      server.forceShutdown()
    },
  }
}
