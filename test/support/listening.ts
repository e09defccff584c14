/**
 * Opening and closing the servers that tests run in process.
 *
 * @module
 */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/** Makes the server listen on 127.0.0.1, on a free port unless one is given; resolves with the port. */
export const listen = async (server: Server, port = 0): Promise<number> => {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Closes the server and resolves when it is closed. `endConnections` ends those that are still open. Repeatable. */
export const close = (server: Server, endConnections: () => void): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    endConnections()
  })
