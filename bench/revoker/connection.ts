/**
 * A connection on which HTTP/1.1 requests are sent one after the other, as bytes that were made before: what is measured
 * is the server and not `node:http` as a client.
 *
 * @module
 */
import { connect } from 'node:net'

/** The answer; of its body only the end is known. */
export interface Answer {
  readonly status: number
  /** Status line and headers. */
  readonly head: string
}

/** An open connection. */
export interface Connection {
  /** Sends a request and resolves when its answer has come; one at a time. Rejects if the connection is closed. */
  send(request: Buffer): Promise<Answer>
  close(): void
}

const headEnd = Buffer.from('\r\n\r\n')

/** Connects to 127.0.0.1. */
export const openConnection = async (port: number): Promise<Connection> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let received: Buffer = Buffer.alloc(0)
  let waiting: { done: (answer: Answer) => void; fail: (error: Error) => void } | undefined

  const take = (piece: Buffer) => {
    received = received.length === 0 ? piece : Buffer.concat([received, piece])
    const end = received.indexOf(headEnd)
    if (end < 0) return
    const head = received.toString('latin1', 0, end)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    if (received.length < end + headEnd.length + length) return
    received = received.subarray(end + headEnd.length + length)
    waiting?.done({ status: Number(head.slice(9, 12)), head })
  }
  const fail = (error?: Error) => waiting?.fail(error ?? new Error('the connection was closed'))
  socket.on('data', take).on('error', fail)
  socket.on('close', () => fail())
  await new Promise<void>((done, refuse) => {
    socket.once('connect', done).once('error', refuse)
  })
  return {
    send: request =>
      new Promise((done, refuse) => {
        waiting = { done, fail: refuse }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}
