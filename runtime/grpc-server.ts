/**
 * Binding of gRPC servers, with errors that name the setting.
 *
 * @module
 */
import {
  logVerbosity,
  type Server,
  type ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { listenAt } from './listen.ts'

/**
 * Binds a gRPC server to an address.
 *
 * @param setting path in the configuration, for the error.
 * @returns the port (0 for a Unix socket).
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen there.
 */
export function bindGrpcServer(
  server: Server,
  address: string,
  credentials: ServerCredentials,
  setting: string,
): Promise<number> {
  quietGrpc()
  return listenAt(
    setting,
    address,
    () =>
      new Promise<number>((done, fail) => {
        server.bindAsync(address, credentials, (error, port) => (error === null ? done(port) : fail(error)))
      }),
  )
}

/** For so long calls that were ended may still tell their callers, milliseconds. */
const shutDownLimitMs = 1_000

/** Stops a server: no new calls; those that were ended get their status; then every connection is closed. */
export async function shutDownGrpcServer(server: Server): Promise<void> {
  await new Promise<void>(done => {
    const limit = setTimeout(done, shutDownLimitMs)
    server.tryShutdown(() => {
      clearTimeout(limit)
      done()
    })
  })
  server.forceShutdown()
}

/** What goes wrong reaches us as an error; grpc-js would write it to standard error as well, in words of its own. */
export function quietGrpc(): void {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE)
}

/**
 * Keeps calls from being handled that are over already: their deadline has passed, or a message of theirs was refused.
 * grpc-js would hand them over all the same, and then say nothing of them any more.
 */
export const liveCallsOnly: ServerInterceptor = (_, call) => {
  let isOver = false
  return new ServerInterceptingCall(call, {
    start: next =>
      next({
        onReceiveHalfClose: halfClose => {
          if (!isOver) halfClose()
        },
        onCancel: () => {
          isOver = true
        },
      }),
  })
}
