/**
 * Free TCP ports for the servers that tests start.
 *
 * @module
 */
import { createServer } from 'node:net'

// Below the range from which systems choose ports for outgoing connections, so that none of these takes a port
// between its choice and its use.
const firstPort = 10_000
const lastPort = 31_999
const attemptsLimit = 100

const given = new Set<number>()

/** A TCP port on 127.0.0.1 that nobody listens on; never the same twice in one process. */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < attemptsLimit; attempt += 1) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1))
    if (!given.has(port) && (await isFree(port))) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no free port between ${firstPort} and ${lastPort} in ${attemptsLimit} attempts`)
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    // No host: also a server on 0.0.0.0 or :: makes the port taken.
    server.listen(port, () => server.close(() => resolve(true)))
  })
