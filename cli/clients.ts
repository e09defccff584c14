/**
 * The clients of the configuration, with the keys by which some prove who they are.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../revocation/error.ts'
import type { ClientProof, ConfiguredClient } from '../revoker/clients/configured-client.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { createJwksSource } from '../token/jwks-source.ts'
import { readKeySet } from '../token/key-set.ts'
import type { KeySource } from '../token/signature.ts'

type ClientConfig = Config['revoker']['clients'][number]

/** Clients, and the fetching of their keys. */
export interface OpenedClients {
  readonly clients: readonly ConfiguredClient[]
  /** Ends timers and fetches. */
  close(): void
}

/**
 * Reads key files, and starts to load keys from URLs in the background.
 *
 * @throws RescindError ERR_CONFIG_INVALID for a file that cannot be used.
 */
export async function openClients({ revoker, issuers }: Config, logger: Logger): Promise<OpenedClients> {
  const closes: (() => void)[] = []
  const proofOf = async (client: ClientConfig, setting: string): Promise<ClientProof> => {
    if (client.secretHash !== undefined) return { method: 'secret', hash: client.secretHash }
    if (client.jwksFile !== undefined) return { method: 'key', keys: await keysIn(client.jwksFile, setting) }
    if (client.jwksUri === undefined) return { method: 'none' }
    const keys = createJwksSource({ issuer: client.id, jwksUri: client.jwksUri, logger })
    closes.push(keys.close)
    return { method: 'key', keys }
  }
  const clients: ConfiguredClient[] = []
  for (const [index, client] of revoker.clients.entries()) {
    // The configuration's checks allow this to be left out only with exactly one issuer.
    const issuer = client.issuer ?? issuers[0]?.issuer ?? ''
    const proof = await proofOf(client, `revoker.clients[${index}].jwksFile`)
    clients.push({ id: client.id, issuer, proof })
  }
  return {
    clients,
    close: () => {
      for (const close of closes) close()
    },
  }
}

async function keysIn(path: string, setting: string): Promise<KeySource> {
  const refuse = (problem: string, cause: unknown) =>
    new RescindError('ERR_CONFIG_INVALID', `${setting}: ${path} ${problem}`, { cause })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, error)
  }
  const keySet = await readDocument(text).catch(error => {
    throw refuse('is not a JWKS: {"keys": [...]}', error)
  })
  if (keySet.keys.size === 0) throw refuse('holds no key that can verify signatures', undefined)
  const none = { keys: new Set<never>(), skipped: {} }
  return {
    generation: () => 1,
    keySet: () => keySet,
    retiredKeySet: () => none,
    refetch: async () => 'limited',
  }
}

const readDocument = async (text: string) => readKeySet(JSON.parse(text))
