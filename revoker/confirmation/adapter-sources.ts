/**
 * The adapters that are asked: those of the configuration, each name with all its addresses, and perhaps the one of this
 * process.
 *
 * @module
 */
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { type AdapterAddresses, createAdapterAddresses, type Resolve } from './adapter-addresses.ts'
import { type AdapterClient, createAdapterClient } from './adapter-client.ts'
import type { VersionQuestion } from './log-question.ts'
import type { AdapterAnswer } from './verdict.ts'

/** One adapter. */
export interface AdapterSource {
  /** Resolves, soon after `waitMs` at the latest, to what it says, or to why it says nothing. */
  ask(question: VersionQuestion, waitMs: number, signal: AbortSignal): Promise<AdapterAnswer>
}

/** All adapters. */
export interface AdapterSources {
  /** There can be none. */
  readonly isEmpty: boolean
  /** Those that count now. */
  current(): Promise<readonly AdapterSource[]>
  close(): void
}

/** Which adapters there are. */
export interface AdapterSourcesOptions {
  /** Base URLs of admin ports; with `dns+` in front of one, its name stands for all its addresses. */
  readonly adapters: readonly string[]
  readonly tls: ClientTlsOptions
  /** The adapter of this process. */
  readonly own?: AdapterSource | undefined
  /** For how long an address counts that its name does not have any more, milliseconds. */
  readonly rememberedMs: number
  /** How many may ask one adapter at a time. */
  readonly connectionsLimit: number
  readonly resolve?: Resolve
}

/** Adapters that are asked at once; more are a problem. */
const adaptersLimit = 64

/** One setting: a URL, or a URL whose name is looked up. */
interface Place {
  readonly url: URL
  readonly addresses: AdapterAddresses | undefined
}

/** Starts to look names up: what an address meant is known only if it was seen while it was there. */
export function createAdapterSources(options: AdapterSourcesOptions): AdapterSources {
  const client = createAdapterClient(options)
  const places = options.adapters.map(setting => placeOf(setting, options))
  const names = places.flatMap(({ addresses }) => addresses ?? [])
  const lookUpAll = () => {
    for (const name of names) void name.current()
  }
  lookUpAll()
  const lookingUp = setInterval(lookUpAll, options.rememberedMs / 4).unref()
  return {
    isEmpty: places.length === 0 && options.own === undefined,
    current: async () => {
      const found = await Promise.all(places.map(place => sourcesOf(place, client)))
      const sources = [...(options.own === undefined ? [] : [options.own]), ...found.flat()]
      if (sources.length <= adaptersLimit) return sources
      return [...sources.slice(0, adaptersLimit), silent('others', `more than ${adaptersLimit} adapters`)]
    },
    close: () => {
      clearInterval(lookingUp)
      client.close()
    },
  }
}

const lookedUp = /^dns\+/

function placeOf(setting: string, { rememberedMs, resolve }: AdapterSourcesOptions): Place {
  const url = new URL(setting.replace(lookedUp, ''))
  if (!lookedUp.test(setting)) return { url, addresses: undefined }
  const name = url.hostname
  const addresses = createAdapterAddresses({
    name,
    rememberedMs,
    ...(resolve === undefined ? {} : { resolve }),
  })
  return { url, addresses }
}

async function sourcesOf({ url, addresses }: Place, client: AdapterClient): Promise<AdapterSource[]> {
  const at = (address: string | undefined): AdapterSource => ({
    ask: (question, waitMs, signal) => client.ask({ url, address }, question, waitMs, signal),
  })
  if (addresses === undefined) return [at(undefined)]
  const found = await addresses.current()
  return [
    ...found.addresses.map(at),
    ...(found.problem === undefined ? [] : [silent(url.host, found.problem)]),
  ]
}

/** Stands for adapters that are not known. */
const silent = (adapter: string, problem: string): AdapterSource => ({
  ask: async () => ({ adapter, problem }),
})
