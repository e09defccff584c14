/**
 * Protobuf definitions for tests: ours and the full upstream ones side by side, random messages of them, and what
 * ours must see of an upstream message.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc, { type Arbitrary } from 'fast-check'
import protobuf, { type Enum, type Field, type Root, type Type } from 'protobufjs'

/** A message as plain data: 64-bit integers are decimal text, bytes are base64, what is not set is absent. */
export type PlainMessage = Record<string, unknown>

const projectFolder = fileURLToPath(new URL('../../../', import.meta.url))
const upstreamFolders = [
  '@grpc/grpc-js-xds/deps/envoy-api',
  '@grpc/grpc-js-xds/deps/googleapis',
  '@grpc/grpc-js-xds/deps/xds',
  '@grpc/grpc-js-xds/deps/protoc-gen-validate',
  'protobufjs',
].map(folder => join(projectFolder, 'node_modules', folder))

/** All files of proto/, parsed one by one, so that none is replaced by a definition that protobufjs brings. */
export function loadOurs(): Root {
  const folder = join(projectFolder, 'proto')
  const root = new protobuf.Root()
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.proto')) continue
    protobuf.parse(readFileSync(join(folder, file), 'utf8'), root)
  }
  root.resolveAll()
  return root
}

/** The full definitions of Envoy and googleapis; Any and Struct are those that protobufjs brings. */
export function loadUpstream(files: readonly string[]): Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => {
    const candidates = upstreamFolders.map(folder => join(folder, target))
    return candidates.find(candidate => existsSync(candidate)) ?? target
  }
  addBundledAny(root)
  root.loadSync([...files])
  root.resolveAll()
  return root
}

/** Any as protobufjs brings it, its fields named like all others. */
function addBundledAny(root: Root): void {
  const name = 'google/protobuf/any.proto'
  const { nested } = protobuf.common.get(name) ?? {}
  root.addJSON(JSON.parse(JSON.stringify(nested).replace('"type_url"', '"typeUrl"')))
  root.files.push(name)
}

/** The bytes of a message. */
export function encode(type: Type, message: PlainMessage): Uint8Array {
  return type.encode(type.fromObject(message)).finish()
}

/** The message of some bytes; throws when they are not one. */
export function decode(type: Type, bytes: Uint8Array): PlainMessage {
  return type.toObject(type.decode(bytes), { longs: String, bytes: String })
}

/** What is left of an upstream message when only the fields of `type` are looked at. */
export function project(type: Type, message: PlainMessage): PlainMessage {
  const known = type.fieldsArray.filter(field => Object.hasOwn(message, field.name))
  return Object.fromEntries(known.map(field => [field.name, projectField(field, message[field.name])]))
}

function projectField(field: Field, value: unknown): unknown {
  const { resolvedType } = field
  if (!(resolvedType instanceof protobuf.Type)) return value
  const one = (item: unknown) => project(resolvedType, item as PlainMessage)
  if (field.repeated) return (value as unknown[]).map(one)
  if (!field.map) return one(value)
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, one(item)]))
}

/** Random messages of a type, with every field that it has, nested at most `depth` messages deep. */
export function messageOf(type: Type, depth: number): Arbitrary<PlainMessage> {
  const key = `${type.fullName} ${depth}`
  const cache = caches.get(type.root) ?? new Map<string, Arbitrary<PlainMessage>>()
  caches.set(type.root, cache)
  const cached = cache.get(key) ?? createMessageOf(type, depth)
  cache.set(key, cached)
  return cached
}

const caches = new WeakMap<Root, Map<string, Arbitrary<PlainMessage>>>()

function createMessageOf(type: Type, depth: number): Arbitrary<PlainMessage> {
  const usable = type.fieldsArray.filter(field => depth > 0 || !(field.resolvedType instanceof protobuf.Type))
  const alone = usable.filter(field => field.partOf === null || field.partOf.fieldsArray.length === 1)
  const oneofs = type.oneofsArray
    .map(oneof => usable.filter(field => field.partOf === oneof))
    .filter(members => members.length > 1)
  const parts = [
    fc.record(Object.fromEntries(alone.map(field => [field.name, fieldOf(field, depth)])), {
      requiredKeys: [],
      noNullPrototype: true,
    }),
    ...oneofs.map(members => oneOf(members, depth)),
  ]
  return fc.tuple(...parts).map(values => Object.assign({}, ...values))
}

function oneOf(members: readonly Field[], depth: number): Arbitrary<PlainMessage> {
  const choices = members.map(field => fieldOf(field, depth).map(value => ({ [field.name]: value })))
  return fc.oneof(fc.constant({}), ...choices)
}

function fieldOf(field: Field, depth: number): Arbitrary<unknown> {
  const value = elementOf(field, depth)
  if (field instanceof protobuf.MapField) {
    const keys = scalarOf(field.keyType).map(String)
    return fc.dictionary(
      keys.filter(name => name !== '__proto__'),
      value,
      { minKeys: 1, maxKeys: 3, noNullPrototype: true },
    )
  }
  return field.repeated ? fc.array(value, { minLength: 1, maxLength: 3 }) : value
}

function elementOf(field: Field, depth: number): Arbitrary<unknown> {
  const { resolvedType } = field
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType, depth - 1)
  if (resolvedType === null) return scalarOf(field.type)
  return fc.constantFrom(...Object.values((resolvedType as Enum).values))
}

function scalarOf(type: string): Arbitrary<unknown> {
  const scalar = scalars[type]
  if (scalar === undefined) throw new Error(`no random values for ${type}`)
  return scalar
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)

const scalars: Readonly<Record<string, Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array().map(bytes => Buffer.from(bytes).toString('base64')),
  bool: fc.boolean(),
  double: fc.double(),
  float: fc.float(),
  int32,
  sint32: int32,
  sfixed32: int32,
  uint32,
  fixed32: uint32,
  int64,
  sint64: int64,
  sfixed64: int64,
  uint64,
  fixed64: uint64,
}
