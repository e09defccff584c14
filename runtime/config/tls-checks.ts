/**
 * Rules between the settings of TLS for discovery.
 *
 * @module
 */
import type { Config } from './schema.ts'
import type { Path } from './schema-tree.ts'
import type { Problem } from './validate.ts'

/** What is wrong with `adapter.tls`. */
export const adapterTlsProblems = ({ adapter: { tls } }: Config): Problem[] =>
  serverTlsProblems(tls, ['adapter', 'tls'])

/** What is wrong with `revoker.tls`. */
export const revokerTlsProblems = ({ revoker: { tls } }: Config): Problem[] =>
  serverTlsProblems(tls, ['revoker', 'tls'])

function serverTlsProblems(tls: Config['adapter']['tls'], path: Path): Problem[] {
  if (tls.clientCaFile === undefined || tls.certFile !== undefined) return pairProblems(tls, path)
  const message = 'is missing: clientCaFile has no effect without TLS; set certFile and keyFile too'
  return [{ path: [...path, 'certFile'], message }]
}

/** What is wrong with `enforcer.discovery.tls`. */
export function discoveryTlsProblems({ enforcer: { discovery } }: Config): Problem[] {
  const path = ['enforcer', 'discovery', 'tls']
  const { enabled, ...rest } = discovery.tls
  const [unused] = Object.keys(rest)
  if (enabled || unused === undefined) return pairProblems(rest, path)
  const message = `must be true: ${unused} is set, which has no effect without TLS`
  return [{ path: [...path, 'enabled'], message }]
}

function pairProblems(files: { certFile?: string; keyFile?: string }, path: Path): Problem[] {
  const names = ['certFile', 'keyFile'] as const
  const missing = names.filter(name => files[name] === undefined)
  if (missing.length !== 1) return []
  const [given] = names.filter(name => files[name] !== undefined)
  return missing.map(name => ({ path: [...path, name], message: `is missing: ${given} needs it` }))
}
