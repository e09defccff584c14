/**
 * The part of a WSO2 event hub that lists revoked tokens: a small HTTP server that requires Basic authentication.
 *
 * @module
 */
import { createServer } from 'node:http'
import { close, listen } from './listening.ts'

/** A running list. */
export interface RevokedJwtList {
  readonly url: string
  readonly username: string
  readonly password: string
  /** What is listed; may be changed. */
  entries: readonly object[]
  /** How the requests so far were answered. */
  readonly statuses: readonly number[]
  stop(): Promise<void>
}

/** Starts with an empty list. */
export async function startRevokedJwtList(): Promise<RevokedJwtList> {
  const [username, password] = ['admin', 'admin-secret']
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const statuses: number[] = []
  let entries: readonly object[] = []
  const server = createServer((request, response) => {
    const found = request.url === '/internal/data/v1/revokedjwt' && request.method === 'GET'
    const status = request.headers.authorization !== expected ? 401 : found ? 200 : 404
    statuses.push(status)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 200 ? JSON.stringify(entries) : '')
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}/`,
    username,
    password,
    get entries() {
      return entries
    },
    set entries(value) {
      entries = value
    },
    statuses,
    stop: () => close(server, () => server.closeAllConnections()),
  }
}
