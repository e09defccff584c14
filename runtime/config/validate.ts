/**
 * Checks a tree of settings against the schema and says what is wrong in words, one line for each setting.
 *
 * @module
 */
import type { TSchema } from 'typebox'
import type { TValidationError } from 'typebox/error'
import { Settings } from 'typebox/system'
import { Check, Errors } from 'typebox/value'
import { childNode, formatPath, type Path, type SchemaNode, valueAt } from './schema-tree.ts'
import { closest } from './suggest.ts'

/** What is wrong with the setting at `path`. The message never holds the value of a secret. */
export interface Problem {
  readonly path: Path
  readonly message: string
}

/** How many errors typebox gathers at most; one misspelt key makes two of them. */
const errorsLimit = 200

/** All that is wrong with `value` by the schema, one problem for each setting, in the order of the schema. */
export function schemaProblems(schema: TSchema, value: unknown): Problem[] {
  const problems = new Map<string, Problem>()
  for (const error of schemaErrors(schema, value)) {
    for (const problem of describe(schema as SchemaNode, value, error)) {
      const key = formatPath(problem.path)
      if (!problems.has(key)) problems.set(key, problem)
    }
  }
  return [...problems.values()]
}

/** What a person may have written with a password in it: a URL, a user before an @, parameters. */
const maybeSecret = /:\/\/|[@?&=]/

/** The value as it may be shown: short, printable, and nothing that could hold credentials. */
function showValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return ` (was ${value})`
  if (typeof value !== 'string' || maybeSecret.test(value)) return ''
  const short = value.length > 60 ? `${value.slice(0, 60)}...` : value
  return ` (was ${/^[\x21-\x7e]+$/.test(short) ? short : JSON.stringify(short)})`
}

function schemaErrors(schema: TSchema, value: unknown): TValidationError[] {
  const { maxErrors } = Settings.Get()
  Settings.Set({ maxErrors: errorsLimit })
  try {
    return Errors(schema, value)
  } finally {
    Settings.Set({ maxErrors })
  }
}

function describe(schema: SchemaNode, root: unknown, error: TValidationError): Problem[] {
  const path = instancePath(root, error.instancePath)
  const node = path.reduce<SchemaNode | undefined>((at, key) => at && childNode(at, key), schema)
  if (node === undefined) return []
  switch (error.keyword) {
    case 'additionalProperties':
      return error.params.additionalProperties.map(key => ({
        path: [...path, key],
        message: unknownKey(node, key),
      }))
    case 'required':
      return error.params.requiredProperties.map(key => ({
        path: [...path, key],
        message: missing(childNode(node, key)),
      }))
    default:
      return [{ path, message: wrong(node, valueAt(root, path), error) }]
  }
}

function unknownKey(node: SchemaNode, key: string): string {
  const known = Object.keys(node.properties ?? {})
  const similar = closest(key, known)
  return `unknown setting${similar === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${similar}?`}`
}

function missing(node: SchemaNode | undefined): string {
  return node?.errorMessage === undefined ? 'is missing' : `is missing: ${node.errorMessage}`
}

function wrong(node: SchemaNode, value: unknown, error: TValidationError): string {
  if (node.errorMessage !== undefined) {
    if (node.writeOnly) return `${node.errorMessage} (a secret: its value is not shown)`
    const quoted = typeof value !== 'string' && node.type === 'string' && isScalar(value)
    const hint = quoted && Check(node as TSchema, String(value)) ? '; put it in quotes' : ''
    return `${node.errorMessage}${hint}${showValue(value)}`
  }
  switch (error.keyword) {
    case 'type':
      return node.type === 'array' ? 'must be a list' : 'must be a mapping of settings (key: value)'
    case 'maxItems':
      return `must not have more than ${error.params.limit} elements`
    case 'minItems':
      return `must have at least ${error.params.limit} element`
    case 'uniqueItems':
      return 'must not list anything twice'
    default:
      return 'is not valid'
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

/** The path of a JSON pointer (RFC 6901); digits are an index where the value is a list. */
function instancePath(root: unknown, pointer: string): Path {
  const path: (string | number)[] = []
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(valueAt(root, path)) ? Number(key) : key)
  }
  return path
}
