/**
 * Asks an adapter over HTTP, at its admin port. Connections are kept.
 *
 * @module
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { readLimited } from '../../token/read-limited.ts'
import { fleetViewOf } from './fleet-view.ts'
import type { VersionQuestion } from './log-question.ts'
import type { AdapterAnswer } from './verdict.ts'

/** Where an adapter is. */
export interface AdapterPlace {
  /** Base URL of its admin port. */
  readonly url: URL
  /** The address to connect to, of several that the URL's name has; undefined: whatever the name leads to. */
  readonly address: string | undefined
}

/** Asks adapters. */
export interface AdapterClient {
  /** Resolves when the adapter has answered, within `waitMs` (whole) and a little for the way, or to why it did not. */
  ask(
    place: AdapterPlace,
    question: VersionQuestion,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<AdapterAnswer>
  close(): void
}

/** How to connect. */
export interface AdapterClientOptions {
  readonly tls: ClientTlsOptions
  /** Connections to one adapter. */
  readonly connectionsLimit: number
}

/** Beyond the time for which the adapter waits. */
const onTheWayMs = 500
const answerBytesLimit = 16 * 2 ** 20

/** Creates a client; it connects when it is used. */
export function createAdapterClient({ tls, connectionsLimit }: AdapterClientOptions): AdapterClient {
  const agentOptions = { keepAlive: true, maxSockets: connectionsLimit }
  const http = new HttpAgent(agentOptions)
  const https = new HttpsAgent({ ...agentOptions, ...tls })

  const get = (place: AdapterPlace, path: string, signal: AbortSignal) =>
    new Promise<IncomingMessage>((done, fail) => {
      const { url, address } = place
      const options = {
        host: address ?? url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${url.pathname.replace(/\/$/, '')}${path}`,
        headers: { host: url.host, accept: 'application/json', 'user-agent': 'rescind' },
        signal,
      }
      const sent =
        url.protocol === 'https:'
          ? httpsRequest({ ...options, agent: https, servername: tls.servername ?? serverNameOf(url) }, done)
          : httpRequest({ ...options, agent: http }, done)
      sent.on('error', fail)
      // Without this there would be neither answer nor error.
      sent.on('upgrade', (_response, socket) => {
        socket.destroy()
        fail(new Error('it answered with another protocol'))
      })
      sent.end()
    })

  return {
    ask: async (place, { version, digest }, waitMs, signal) => {
      const adapter = nameOf(place)
      const late = AbortSignal.timeout(waitMs + onTheWayMs)
      const hex = digest.toString(16).padStart(16, '0')
      const path = `/nodes?version=${version}&digest=${hex}&waitMs=${waitMs}`
      try {
        const response = await get(place, path, AbortSignal.any([late, signal]))
        return { adapter, ...(await readAnswer(response)) }
      } catch (error) {
        return { adapter, problem: late.aborted ? 'no answer in time' : (error as Error).message }
      }
    },
    close: () => {
      http.destroy()
      https.destroy()
    },
  }
}

/** The name that a certificate must have; none is sent for an address. */
const serverNameOf = ({ hostname }: URL): string => (/^[\d.]+$|^\[/.test(hostname) ? '' : hostname)

const nameOf = ({ url, address }: AdapterPlace): string =>
  address === undefined ? url.host : `${url.host} (${address})`

async function readAnswer(response: IncomingMessage): Promise<Pick<AdapterAnswer, 'view' | 'problem'>> {
  const body = await readLimited(response, answerBytesLimit)
  if (response.statusCode === 503) return { problem: 'too many wait for it already' }
  if (response.statusCode !== 200) return { problem: `answered ${response.statusCode}` }
  const view = fleetViewOf(JSON.parse(body.toString()))
  return view === undefined ? { problem: 'its answer is not that of an adapter' } : { view }
}
