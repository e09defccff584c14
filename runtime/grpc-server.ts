/**
 * Binding of gRPC servers, with errors that name the setting.
 *
 * @module
 */
import type { Server, ServerCredentials } from '@grpc/grpc-js'
import { RescindError } from '../revocation/error.ts'

/**
 * Binds a gRPC server to an address.
 *
 * @param setting path in the configuration, for the error.
 * @returns the port (0 for a Unix socket).
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen there.
 */
export const bindGrpcServer = (
  server: Server,
  address: string,
  credentials: ServerCredentials,
  setting: string,
): Promise<number> =>
  new Promise((done, fail) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) return done(port)
      fail(
        new RescindError(
          'ERR_ADDRESS_IN_USE',
          `${setting}: cannot listen on ${address} (${error.message}); free the port or set another address`,
          { cause: error },
        ),
      )
    })
  })
