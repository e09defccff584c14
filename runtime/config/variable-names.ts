/**
 * Names of environment variables for settings, found by walking the schema: `enforcer.drainDelay` is
 * `RESCIND_ENFORCER_DRAIN_DELAY`, `revoker.clients[0].secretHash` is `RESCIND_REVOKER_CLIENTS_0_SECRET_HASH`.
 *
 * @module
 */
import { alternatives, isLeaf, type Path, type SchemaNode } from './schema-tree.ts'

/** What all our environment variables begin with. */
export const variablePrefix = 'RESCIND'

/** A setting of the schema. */
export interface Setting {
  readonly path: Path
  readonly node: SchemaNode
}

/** The environment variable of a path. */
export function variableName(path: Path): string {
  return [variablePrefix, ...path.map(screaming)].join('_')
}

/** The setting that a variable name stands for, if any. */
export function findSetting(schema: SchemaNode, name: string): Setting | undefined {
  if (!name.startsWith(`${variablePrefix}_`)) return undefined
  const [setting] = matches(schema, name.slice(variablePrefix.length), [])
  return setting
}

/** Every setting below the root, mappings and lists included; lists are shown by their element 0. */
export function* allSettings(node: SchemaNode, path: Path = []): Generator<Setting> {
  for (const option of alternatives(node)) {
    for (const [key, child] of Object.entries(option.properties ?? {})) {
      yield { path: [...path, key], node: child }
      yield* allSettings(child, [...path, key])
    }
    if (option.items !== undefined) {
      yield { path: [...path, 0], node: option.items }
      yield* allSettings(option.items, [...path, 0])
    }
  }
}

/** Every name that is understood, lists by their element 0, with the `_FILE` names of single values. */
export function* allVariableNames(schema: SchemaNode): Generator<string> {
  for (const { path, node } of allSettings(schema)) {
    yield variableName(path)
    if (isLeaf(node)) yield `${variableName(path)}_FILE`
  }
}

/**
 * True for the variables that Kubernetes and Docker inject for services, such as
 * `RESCIND_ADAPTER_PORT=tcp://10.0.0.1:18000` or `RESCIND_SERVICE_HOST`. They are never settings.
 */
export function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name) ||
    /_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  )
}

function* matches(node: SchemaNode, rest: string, path: Path): Generator<Setting> {
  if (rest === '') {
    yield { path, node }
    return
  }
  for (const option of alternatives(node)) {
    for (const [key, child] of Object.entries(option.properties ?? {})) {
      const segment = `_${screaming(key)}`
      if (rest.startsWith(segment)) yield* matches(child, rest.slice(segment.length), [...path, key])
    }
    const index = /^_(0|[1-9][0-9]{0,5})(?=_|$)/.exec(rest)
    if (option.items === undefined || index === null) continue
    yield* matches(option.items, rest.slice(index[0].length), [...path, Number(index[1])])
  }
}

function screaming(key: string | number): string {
  return String(key)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
}
