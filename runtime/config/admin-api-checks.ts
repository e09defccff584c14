/**
 * Rules between the settings of the admin API and others.
 *
 * @module
 */
import type { Config } from './schema.ts'
import type { Problem } from './validate.ts'

/** What is wrong with `revoker.admin`. */
export const adminApiProblems = (config: Config): Problem[] => [
  ...tokenProblems(config),
  ...issuerProblems(config),
  ...certificateProblems(config),
]

function tokenProblems({ revoker }: Config): Problem[] {
  const { tokens } = revoker.admin
  return tokens.flatMap(({ name }, index) => {
    const first = tokens.findIndex(other => other.name === name)
    const message = `is the same as revoker.admin.tokens[${first}].name; names tell administrators apart`
    return first === index ? [] : [{ path: ['revoker', 'admin', 'tokens', index, 'name'], message }]
  })
}

function issuerProblems({ issuers, revoker }: Config): Problem[] {
  const { jwt } = revoker.admin
  if (jwt === undefined || issuers.some(({ issuer }) => issuer === jwt.issuer)) return []
  const message = 'is not the issuer of any of the configured issuers'
  return [{ path: ['revoker', 'admin', 'jwt', 'issuer'], message }]
}

/** Without an authority no certificate is ever asked for. */
function certificateProblems({ revoker }: Config): Problem[] {
  const { admin, tls } = revoker
  if (admin.certificates.length === 0 || tls.clientCaFile !== undefined) return []
  const message = 'has no effect without revoker.tls.clientCaFile; set it, or leave this out'
  return [{ path: ['revoker', 'admin', 'certificates'], message }]
}
