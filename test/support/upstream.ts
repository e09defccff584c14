/**
 * An API behind Envoy: HTTP/1.1 and cleartext HTTP/2 on one port. It answers every request with what it saw of it,
 * and every gRPC call with the messages that it got.
 *
 * @module
 */
import { createServer, type RequestListener } from 'node:http'
import * as http2 from 'node:http2'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { close, listen } from './listening.ts'

/** What reached the API of one request. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A running API on 127.0.0.1. */
export interface Upstream {
  readonly port: number
  /** How many requests and gRPC calls reached it. */
  readonly requests: number
  stop(): Promise<void>
}

/**
 * Starts the API. Plain requests get 200 and a SeenRequest as JSON; requests with the content type application/grpc get
 * their messages back (any method, unary or streaming), and grpc-status 0.
 */
export const startUpstream = async (options: { port?: number } = {}): Promise<Upstream> => {
  let requests = 0
  const answer: RequestListener = (request, response) => {
    requests += 1
    const { method = '', url = '', headers } = request
    const seen: SeenRequest = { method, path: url, headers }
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(seen)}\n`)
  }
  const http1 = createServer(answer)
  const h2 = http2.createServer()
  h2.on('stream', (stream, headers) => {
    requests += 1
    stream.on('error', () => stream.destroy())
    if (headers['content-type']?.startsWith('application/grpc')) echoGrpc(stream)
    else answerOverHttp2(stream, headers)
  })

  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    socket.once('readable', () => {
      const start = socket.read() as Buffer | null
      if (start === null) return
      socket.unshift(start)
      // The first bytes of HTTP/2 are a request with the method PRI (RFC 9113 section 3.4).
      const target = start.toString('latin1').startsWith('PRI') ? h2 : http1
      target.emit('connection', socket)
    })
  })
  const port = await listen(server, options.port)
  return {
    port,
    get requests() {
      return requests
    },
    stop: () =>
      close(server, () => {
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const answerOverHttp2 = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void => {
  const seen: SeenRequest = { method: headers[':method'] ?? '', path: headers[':path'] ?? '', headers }
  stream.resume()
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(`${JSON.stringify(seen)}\n`)
}

/** gRPC's framing of a response is that of a request, so an echo need not look into it. */
const echoGrpc = (stream: http2.ServerHttp2Stream): void => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.pipe(stream)
}
