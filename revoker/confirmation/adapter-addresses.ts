/**
 * The addresses that a name has, and those that it had a short time ago: behind one that vanished there may be an adapter
 * that crashed, whose enforcers live on.
 *
 * @module
 */
import { lookup } from 'node:dns/promises'

/** Looks a name up: all its addresses, IPv4 and IPv6. Rejects if it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** The addresses of one name. */
export interface AdapterAddresses {
  /** Looks the name up again. */
  current(): Promise<FoundAddresses>
}

/** What was found. */
export interface FoundAddresses {
  readonly addresses: readonly string[]
  /** Why there may be others. */
  readonly problem?: string
}

/** How addresses are found and remembered. */
export interface AdapterAddressesOptions {
  readonly name: string
  /** For how long an address counts after it was found last, milliseconds. */
  readonly rememberedMs: number
  /** Default: as the system does it. */
  readonly resolve?: Resolve
  /** Monotonic. */
  readonly nowMs?: () => number
}

/** More are not remembered; further ones are a problem. */
export const addressesLimit = 64

const resolveBySystem: Resolve = async name =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/** Nothing is looked up yet. */
export function createAdapterAddresses(options: AdapterAddressesOptions): AdapterAddresses {
  const { name, rememberedMs, resolve = resolveBySystem, nowMs = () => performance.now() } = options
  const foundAtMs = new Map<string, number>()
  let lookingUp: Promise<FoundAddresses> | undefined

  const forget = () => {
    for (const [address, atMs] of foundAtMs) if (nowMs() - atMs >= rememberedMs) foundAtMs.delete(address)
  }

  const remember = (address: string) => {
    const hasRoom = foundAtMs.has(address) || foundAtMs.size < addressesLimit
    if (hasRoom) foundAtMs.set(address, nowMs())
    return hasRoom
  }

  const lookUp = async (): Promise<FoundAddresses> => {
    const found = await resolve(name).catch((error: NodeJS.ErrnoException) => error)
    forget()
    const problem = found instanceof Error ? `cannot be resolved (${found.code ?? found.message})` : undefined
    const areAllKept = found instanceof Error || found.map(remember).every(Boolean)
    const tooMany = areAllKept ? undefined : `has more than ${addressesLimit} addresses`
    const addresses = [...foundAtMs.keys()]
    return problem === undefined && tooMany === undefined
      ? { addresses }
      : { addresses, problem: (problem ?? tooMany) as string }
  }

  return {
    current: () => {
      lookingUp ??= lookUp().finally(() => {
        lookingUp = undefined
      })
      return lookingUp
    },
  }
}
