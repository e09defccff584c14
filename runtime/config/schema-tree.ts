/**
 * The schema as a tree of plain JSON Schema nodes, and paths through it and through values.
 *
 * @module
 */

/** The parts of a JSON Schema node that the configuration uses. */
export interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[] | undefined
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly maxItems?: number
  readonly minItems?: number
  readonly enum?: readonly unknown[]
  readonly errorMessage?: string
  /** A secret: its value is never shown. */
  readonly writeOnly?: boolean
}

/** Keys of mappings (text) and indexes of lists (numbers), from the root. */
export type Path = readonly (string | number)[]

/** The alternatives of a node: itself, or the members of its union. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(alternatives)
}

/** The JSON types that a value of the node may have; a word list (`enum`) is `string`. */
export function typesOf(node: SchemaNode): ReadonlySet<string> {
  return new Set(alternatives(node).map(option => option.type ?? 'string'))
}

/** True for settings that are one value: text, number or boolean. */
export function isLeaf(node: SchemaNode): boolean {
  const types = typesOf(node)
  return !types.has('object') && !types.has('array')
}

/** The node that describes the child `key` of a value of `node`, if there is one. */
export function childNode(node: SchemaNode, key: string | number): SchemaNode | undefined {
  for (const option of alternatives(node)) {
    const child = typeof key === 'number' ? option.items : ownValue(option.properties, key)
    if (child !== undefined) return child
  }
  return undefined
}

/** The child `key` of a mapping or list, own properties only. */
export function childValue(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, unknown>)[key]
    : undefined
}

/** The value at a path, or undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce(childValue, value)
}

/** A path as people read it: `revoker.clients[0].secretHash`; odd keys are quoted, long ones cut. */
export function formatPath(path: Path): string {
  return path
    .map((key, depth) => {
      if (typeof key === 'number') return `[${key}]`
      return depth === 0 ? formatKey(key) : `.${formatKey(key)}`
    })
    .join('')
}

function formatKey(key: string): string {
  return /^[\w$-]{1,60}$/.test(key) ? key : JSON.stringify(key.slice(0, 60))
}

function ownValue<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}
