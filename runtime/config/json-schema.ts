/**
 * The published JSON Schema of `rescind.yaml` (rescind.schema.json), with which editors complete and explain it.
 *
 * @module
 */
import { configSchema } from './schema.ts'

/** The JSON Schema (draft 7): as the one in the code, but what has a default need not be written down. */
export function publishedSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'rescind.yaml',
    ...(withoutDefaulted(JSON.parse(JSON.stringify(configSchema))) as object),
  }
}

type Json = Record<string, unknown>

/** Leaves out of every `required` the properties that have a default. */
function withoutDefaulted(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutDefaulted)
  if (typeof node !== 'object' || node === null) return node
  const { required, ...rest } = node as Json
  const properties = (rest.properties ?? {}) as Record<string, Json>
  const needed = Array.isArray(required)
    ? required.filter(name => !('default' in (properties[name] ?? {})))
    : []
  const children = Object.entries(rest).map(([key, child]) => [key, withoutDefaulted(child)])
  return { ...Object.fromEntries(children), ...(needed.length > 0 ? { required: needed } : {}) }
}
