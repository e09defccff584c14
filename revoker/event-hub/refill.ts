/**
 * The list of revoked tokens that WSO2 API Manager keeps: what was published while nobody listened.
 *
 * @module
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { RescindError } from '../../revocation/error.ts'
import { invalidEvent } from '../../revocation/formats/foreign-format.ts'
import { readRevokedJwt } from '../../revocation/formats/wso2-event-hub.ts'
import { parseJsonObject } from '../../revocation/json-object.ts'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import type { Ingest, Received } from '../ingest.ts'
import { createElementSplitter } from './json-elements.ts'

/** Where the list is. */
export interface RefillSettings {
  /** Base URL of the event hub, http or https. */
  readonly url: string
  readonly username: string
  readonly password: string
  readonly tls: ClientTlsOptions
  /** Longest silence of the hub. */
  readonly timeoutMs: number
}

/** Path of the list. */
const revokedJwtPath = '/internal/data/v1/revokedjwt'

const listLimitBytes = 256 * 1024 * 1024
const entryLimitBytes = 64 * 1024
const entryDepthLimit = 4
/** How many entries are stored together. */
const pageEntries = 500

/**
 * Fetches the list and has every entry stored.
 *
 * @returns how many entries there were.
 * @throws RescindError ERR_REQUEST_FAILED or ERR_EVENT_INVALID; what was stored until then stays. The signal's reason.
 */
export async function refill(
  settings: RefillSettings,
  issuers: readonly string[],
  ingest: Ingest,
  signal: AbortSignal,
): Promise<number> {
  let count = 0
  const page: Received[] = []
  const storePage = async () => {
    await Promise.all(page.splice(0).map(entry => ingest.take(entry, signal)))
  }
  for await (const content of entriesOf(await get(settings, signal))) {
    const read = async () => {
      const entry = parseJsonObject(content, entryDepthLimit)
      if (entry === undefined) throw invalidEvent('not one unambiguous JSON object')
      return readRevokedJwt(entry, { issuers })
    }
    page.push({ content, position: `${revokedJwtPath}[${count++}]`, read })
    if (page.length === pageEntries) await storePage()
  }
  await storePage()
  return count
}

async function* entriesOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  const splitter = createElementSplitter(entryLimitBytes)
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > listLimitBytes) throw invalidEvent(`the list is larger than ${listLimitBytes} bytes`)
    yield* splitter.push(chunk)
  }
  splitter.end()
}

function get(settings: RefillSettings, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(settings.url.replace(/\/$/, '') + revokedJwtPath)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const failed = (why: string, cause?: Error) =>
    new RescindError('ERR_REQUEST_FAILED', `${url.href}: ${why}`, cause === undefined ? undefined : { cause })
  return new Promise((resolve, reject) => {
    const request = send(url, {
      auth: `${settings.username}:${settings.password}`,
      headers: { accept: 'application/json', 'user-agent': 'rescind' },
      timeout: settings.timeoutMs,
      signal,
      ...settings.tls,
    })
    request.on('timeout', () => request.destroy(new Error(`silent for ${settings.timeoutMs} ms`)))
    request.on('error', error => reject(signal.aborted ? signal.reason : failed(error.message, error)))
    request.on('response', response => {
      if (response.statusCode === 200) return resolve(response)
      response.destroy()
      reject(failed(`answered ${response.statusCode}`))
    })
    request.end()
  })
}
