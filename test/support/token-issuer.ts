/**
 * A minimal issuer for tests of token/: key pairs, signed tokens, an HTTP server for its key set, and a clock by hand.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { TokenLogger } from '../../token/jwks-source.ts'
import type { Timing } from '../../token/timing.ts'

/** A signing key and the JWK that publishes it. */
export interface SigningPair {
  readonly alg: string
  readonly kid: string | undefined
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

/** Generates a key pair; without `kid` neither its JWK nor its tokens carry one. */
export async function generatePair(alg: string, kid?: string): Promise<SigningPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid === undefined ? {} : { kid }) }
  return { alg, kid, privateKey, publicKey, jwk }
}

/** Signs claims; `header` adds to or replaces the header's members. */
export function signToken(pair: SigningPair, claims: object, header: object = {}): Promise<string> {
  const members = { alg: pair.alg, ...(pair.kid === undefined ? {} : { kid: pair.kid }), ...header }
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader(members)
    .sign(pair.privateKey)
}

/** A compact JWS of the given parts, unsigned unless a signature is given. */
export function rawToken(
  header: unknown,
  payload: unknown,
  signature: Uint8Array = new Uint8Array(),
): string {
  const segments = [header, payload].map(part => (typeof part === 'string' ? part : JSON.stringify(part)))
  return [...segments.map(text => Buffer.from(text)), Buffer.from(signature)]
    .map(octets => octets.toString('base64url'))
    .join('.')
}

/** Flips pad bits of a base64url text whose length is not a multiple of 4: other text, same octets. */
export function flipPadBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) as string) ^ 1]
}

/** How a path is answered. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTP server with exchangeable answers. */
export interface KeyServer {
  readonly origin: string
  /** Paths in the order in which they were asked. */
  readonly requests: string[]
  /** Answers of each path; a path without one gets 404. */
  readonly answers: Map<string, Answer>
  /** Publishes JWKs at a path. */
  publish(pairs: readonly { readonly jwk: JWK }[], path?: string): void
  /** Resolves when the server has been asked for the n-th time in all. */
  asked(count: number): Promise<void>
  close(): Promise<void>
}

/** Answers with JSON. */
export function json(document: unknown, status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  }
}

/** Starts a server on a free port of the loopback interface. */
export async function startKeyServer(): Promise<KeyServer> {
  const requests: string[] = []
  const answers = new Map<string, Answer>()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    server.emit('asked')
    const answer = answers.get(path) ?? json({ error: 'not found' }, 404)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    publish(pairs, path = '/jwks') {
      answers.set(path, json({ keys: pairs.map(pair => pair.jwk) }))
    },
    async asked(count) {
      while (requests.length < count) await once(server, 'asked')
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A clock that stands until it is advanced. */
export interface ManualTiming extends Timing {
  /** Moves the clock and runs what falls due, in order. */
  advance(ms: number): void
  /** Delays of the timers that wait, from now, ascending. */
  pendingDelaysMs(): number[]
}

/** Creates a clock by hand. */
export function createManualTiming(): ManualTiming {
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>()
  let nowMs = 0
  const inOrder = () => [...timers].sort((one, other) => one.dueMs - other.dueMs)
  return {
    steadyNowMs: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (let next = inOrder()[0]; next && next.dueMs <= untilMs; next = inOrder()[0]) {
        nowMs = next.dueMs
        timers.delete(next)
        next.run()
      }
      nowMs = untilMs
    },
    pendingDelaysMs: () => inOrder().map(timer => timer.dueMs - nowMs),
  }
}

/** A logger that keeps its lines. */
export interface KeptLog extends TokenLogger {
  readonly lines: {
    readonly level: 'info' | 'warn' | 'error'
    readonly message: string
    readonly fields: object
  }[]
}

/** Creates a logger that keeps its lines. */
export function createKeptLog(): KeptLog {
  const lines: KeptLog['lines'] = []
  const at = (level: 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    lines.push({ level, message, fields })
  }
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}
