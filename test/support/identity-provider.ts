/**
 * A revocation endpoint and an introspection endpoint that answer as a test wants: for faults that a real identity
 * provider cannot be made to show.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { close, listen } from './listening.ts'

/** An answer: a status, a body, headers. */
export interface FakeAnswer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A running server on 127.0.0.1. */
export interface FakeIdentityProvider {
  readonly revocationEndpoint: string
  readonly introspectionEndpoint: string
  /** Requests to the revocation endpoint so far: bodies and headers. */
  readonly requests: readonly { readonly body: string; readonly headers: IncomingMessage['headers'] }[]
  /** What is answered; `silence`: the request is read, and nothing comes. An empty 200 at first. */
  answer: FakeAnswer | 'silence'
  /** What is answered to introspection; inactive at first. */
  introspection: object
  stop(): Promise<void>
}

/** Starts the server. */
export async function startFakeIdentityProvider(): Promise<FakeIdentityProvider> {
  const requests: { body: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    if (request.url === '/introspect') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(fake.introspection))
      return
    }
    requests.push({ body, headers: request.headers })
    if (fake.answer === 'silence') return
    if (fake.answer.headers?.['x-cut'] !== undefined) {
      request.socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')
      return
    }
    response.writeHead(fake.answer.status, { ...fake.answer.headers }).end(fake.answer.body ?? '')
  })
  const origin = `http://127.0.0.1:${await listen(server)}`
  const fake: FakeIdentityProvider = {
    revocationEndpoint: `${origin}/revoke`,
    introspectionEndpoint: `${origin}/introspect`,
    requests,
    answer: { status: 200 },
    introspection: { active: false },
    stop: () => close(server, () => server.closeAllConnections()),
  }
  return fake
}
