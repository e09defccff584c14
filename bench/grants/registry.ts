/**
 * A token registry in LMDB that is filled with grants.
 *
 * @module
 */
import { openLmdbGrants } from '../../revoker/grants/lmdb-grants.ts'
import { createTokenRegistry, type TokenRegistry } from '../../revoker/grants/token-registry.ts'
import { createErrorsOnlyLogger } from '../load/errors-only.ts'
import { count } from '../report.ts'

/** An opened registry. */
export interface Registry {
  readonly tokens: TokenRegistry
  close(): Promise<void>
}

const issuer = 'https://idp.example.com'
/** Reports that are under way at once: they share flushes. */
const together = 1_000
const progressEvery = 250_000

/** The texts of a grant's tokens. */
export const tokenNames = (index: number) => ({
  access: `access-token-of-an-opaque-kind-${index}`,
  refresh: `refresh-token-of-the-same-grant-${index}`,
})

/** Opens a registry in a new folder. */
export async function openRegistry(folder: string): Promise<Registry> {
  const nowSeconds = () => Date.now() / 1_000
  const store = await openLmdbGrants({
    folder,
    graceSeconds: 300,
    nowSeconds,
    logger: createErrorsOnlyLogger(),
  })
  const tokens = createTokenRegistry({
    store,
    publish: () => Promise.reject(new Error('nothing is revoked before it is reported here')),
    nowSeconds,
    longestTokenSeconds: () => 30 * 24 * 3_600,
    onRefused: reason => {
      throw new Error(`a report was refused: ${reason}`)
    },
  })
  return { tokens, close: () => store.close() }
}

/** Stores so many grants; how many a second, of all and of the last tenth. */
export async function fillRegistry(
  { tokens }: Registry,
  grants: number,
  progress: (step: string) => void,
): Promise<{ readonly all: number; readonly last: number }> {
  const startedAtMs = performance.now()
  const lastFrom = Math.floor((grants * 9) / 10 / together) * together
  let lastAtMs = startedAtMs
  for (let from = 0; from < grants; from += together) {
    if (from === lastFrom) lastAtMs = performance.now()
    if (from > 0 && from % progressEvery === 0) progress(`${count(from)} of ${count(grants)}`)
    const reports = Array.from({ length: Math.min(together, grants - from) }, (_, index) =>
      reportOf(from + index),
    )
    await tokens.add(reports, { actor: 'bench', issuers: [issuer] })
  }
  const endedAtMs = performance.now()
  return {
    all: (grants * 1_000) / (endedAtMs - startedAtMs),
    last: ((grants - lastFrom) * 1_000) / (endedAtMs - lastAtMs),
  }
}

function reportOf(index: number) {
  const { access, refresh } = tokenNames(index)
  const subject = `user-${index}`
  return {
    issuer,
    clientId: 'shop',
    subject,
    accessToken: { token: access },
    refreshToken: { token: refresh },
  }
}
