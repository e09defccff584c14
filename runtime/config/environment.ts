/**
 * Settings from environment variables, and from the files that `..._FILE` variables name.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { childValue, isLeaf, type Path, type SchemaNode, typesOf } from './schema-tree.ts'
import { closest } from './suggest.ts'
import { type ReadBytes, readTextFile } from './text-file.ts'
import {
  allVariableNames,
  findSetting,
  isServiceLink,
  type Setting,
  variablePrefix,
} from './variable-names.ts'
import { parseYaml } from './yaml-text.ts'

/** Environment variables by name; empty ones count as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A value that a variable gives to a setting. */
export interface Override {
  readonly path: Path
  readonly value: unknown
  /** The variable that it came from. */
  readonly name: string
}

/** What the environment says: overrides sorted so that they can be applied in order, and one-line messages. */
export interface EnvironmentReading {
  readonly overrides: readonly Override[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Variables with our prefix that are not settings. */
const reserved = new Set(
  ['CONFIG', 'REQUIRE_SERVICES', 'ADMIN_TOKEN', 'ADMIN_TOKEN_FILE', 'SERVER'].map(
    name => `${variablePrefix}_${name}`,
  ),
)

const fileSuffix = '_FILE'
const fileLimitBytes = 65_536
const warningsLimit = 20

/** Reads all variables that begin with `RESCIND_`. Messages name variables, never their values. */
export function readEnvironment(schema: SchemaNode, env: Environment, read: ReadBytes): EnvironmentReading {
  const overrides: Override[] = []
  const problems: string[] = []
  const unknown: string[] = []
  for (const name of ourVariables(env)) {
    const setting = findSetting(schema, name) ?? fileSetting(schema, name)
    try {
      if (setting === undefined) unknown.push(name)
      else overrides.push({ path: setting.path, name, value: variableValue(setting, name, env, read) })
    } catch (error) {
      if (!(error instanceof RescindError)) throw error
      problems.push(`${name}: ${error.message}`)
    }
  }
  overrides.sort((one, other) => comparePaths(one.path, other.path))
  return { overrides, problems, warnings: unknownWarnings(schema, unknown) }
}

/**
 * Puts overrides into a tree of settings, in place. One that does not fit what is there is left out: then the
 * validation reports what is there. An index that would leave a gap in a list is a one-line problem.
 */
export function applyOverrides(root: Record<string, unknown>, overrides: readonly Override[]): string[] {
  return overrides.flatMap(override => applyOverride(root, override))
}

function ourVariables(env: Environment): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith(`${variablePrefix}_`) && value !== undefined && value !== '')
    .filter(([name, value]) => !reserved.has(name) && !isServiceLink(name, value ?? ''))
    .map(([name]) => name)
}

function fileSetting(schema: SchemaNode, name: string): Setting | undefined {
  if (!name.endsWith(fileSuffix)) return undefined
  const setting = findSetting(schema, name.slice(0, -fileSuffix.length))
  return setting !== undefined && isLeaf(setting.node) ? setting : undefined
}

function variableValue({ node }: Setting, name: string, env: Environment, read: ReadBytes): unknown {
  const given = env[name] ?? ''
  if (!name.endsWith(fileSuffix)) return textValue(node, given)
  const plainName = name.slice(0, -fileSuffix.length)
  if (env[plainName]) throw invalid(`${plainName} is set too; set only one of them`)
  try {
    return textValue(node, readTextFile(given, fileLimitBytes, read).replace(/\r?\n$/, ''))
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    // Somebody may have put the secret itself here, so the path of a secret's file is not shown.
    throw invalid(`${node.writeOnly ? 'the file that it names' : given} ${error.message}`)
  }
}

/** The value that a text stands for: numbers and booleans by type, mappings and lists as YAML or JSON. */
function textValue(node: SchemaNode, given: string): unknown {
  const types = typesOf(node)
  if (types.has('integer') && /^-?[0-9]{1,15}$/.test(given)) return Number(given)
  if (types.has('boolean') && /^(true|false)$/.test(given)) return given === 'true'
  if (isLeaf(node) || (types.has('string') && !/^\s*[[{]/.test(given))) return given
  const result = parseYaml(given)
  if ('value' in result) return result.value
  const { line, column, message } = result.problem
  throw invalid(`must be YAML or JSON: ${line > 0 ? `${line}:${column}: ` : ''}${message}`)
}

function unknownWarnings(schema: SchemaNode, names: readonly string[]): string[] {
  const known = names.length > 0 ? [...allVariableNames(schema)] : []
  const warnings = names.slice(0, warningsLimit).map(name => {
    const similar = closest(name.slice(variablePrefix.length), known.map(withoutPrefix))
    const hint = similar === undefined ? '' : ` (did you mean ${variablePrefix}${similar}?)`
    return `${printable(name)} is not a setting and has no effect${hint}`
  })
  const more = names.length - warnings.length
  return more > 0 ? [...warnings, `${more} more ${variablePrefix}_ variables are not settings`] : warnings
}

function withoutPrefix(name: string): string {
  return name.slice(variablePrefix.length)
}

function printable(name: string): string {
  return /^[A-Za-z0-9_]{1,100}$/.test(name) ? name : JSON.stringify(name.slice(0, 100))
}

function applyOverride(root: Record<string, unknown>, { path, value, name }: Override): string[] {
  let parent: unknown = root
  for (const [depth, key] of path.entries()) {
    if (!fits(parent, key)) return []
    if (Array.isArray(parent) && Number(key) > parent.length) {
      return [`${name}: there is no element ${parent.length} before it: number list elements from 0`]
    }
    const last = depth === path.length - 1
    const child = last ? value : (childValue(parent, key) ?? (typeof path[depth + 1] === 'number' ? [] : {}))
    Object.assign(parent as object, { [key]: child })
    parent = child
  }
  return []
}

function fits(parent: unknown, key: string | number): boolean {
  return Array.isArray(parent)
    ? typeof key === 'number'
    : typeof parent === 'object' && parent !== null && typeof key === 'string'
}

/** Shorter paths first, so that a whole list is set before its elements; then by key. */
function comparePaths(one: Path, other: Path): number {
  if (one.length !== other.length) return one.length - other.length
  const depth = one.findIndex((key, index) => key !== other[index])
  const [left = 0, right = 0] = [one[depth], other[depth]]
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return String(left) < String(right) ? -1 : Number(String(left) > String(right))
}

function invalid(message: string): RescindError {
  return new RescindError('ERR_CONFIG_INVALID', message)
}
