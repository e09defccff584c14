/**
 * Suites that need a real component: skipped with the command that brings it, or failed where it must be there.
 *
 * @module
 */
import { findService } from '../services/catalogue.ts'

/**
 * Options for `describe` or `test` of a suite that needs the components `names`. When one is missing they skip it,
 * naming the command that brings it; with RESCIND_REQUIRE_SERVICES=1 this throws instead, which fails the file.
 *
 * @example describe('Envoy', requireService('envoy'), () => { ... })
 */
export const requireService = (...names: readonly string[]): { skip?: string } => {
  const missing = names.filter(name => findService(name) === undefined)
  if (missing.length === 0) return {}
  const sentence = `needs ${missing.join(', ')}; bring it with: npm run services -- ${missing.join(' ')}`
  if (process.env.RESCIND_REQUIRE_SERVICES === '1') throw new Error(sentence)
  return { skip: sentence }
}
