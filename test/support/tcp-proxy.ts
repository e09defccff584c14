/**
 * A TCP proxy before a server on 127.0.0.1 that does what networks do: cut connections, and swallow what is sent.
 *
 * @module
 */
import { connect, createServer, type Socket } from 'node:net'
import { close, listen } from './listening.ts'

/** A running proxy. */
export interface TcpProxy {
  readonly port: number
  /** Destroys the connections and refuses new ones. */
  cut(): Promise<void>
  /** Takes connections and what is sent, but passes nothing on and closes nothing: half-open. */
  silence(): void
  /** Passes everything again; what was held back by {@link silence} arrives late. */
  restore(): Promise<void>
  /** Lets new connections go to another port; those that are open stay. */
  retarget(port: number): void
  stop(): Promise<void>
}

/** Starts a proxy before a port of 127.0.0.1; what clients send arrives `upDelayMs` later, as in a network. */
export async function startTcpProxy(
  targetPort: number,
  { upDelayMs = 0 }: { readonly upDelayMs?: number } = {},
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let silent = false
  let target = targetPort

  const keep = (socket: Socket, other: Socket, delayMs: number) => {
    sockets.add(socket)
    // Whatever ends one side ends the other.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
    socket.on('data', chunk => {
      if (delayMs === 0) other.write(chunk)
      else setTimeout(() => other.write(chunk), delayMs)
    })
    socket.on('end', () => other.end())
    if (silent) socket.pause()
  }
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    keep(client, upstream, upDelayMs)
    keep(upstream, client, 0)
  })
  const port = await listen(server)
  const cut = () =>
    close(server, () => {
      for (const socket of sockets) socket.destroy()
    })

  return {
    port,
    cut,
    silence: () => {
      silent = true
      for (const socket of sockets) socket.pause()
    },
    restore: async () => {
      silent = false
      for (const socket of sockets) socket.resume()
      if (!server.listening) await listen(server, port)
    },
    retarget: newTarget => {
      target = newTarget
    },
    stop: cut,
  }
}
