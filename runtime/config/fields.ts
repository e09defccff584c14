/**
 * The kinds of settings that the schema is made of. Each carries a description and an `errorMessage`, which
 * editors and `rescind config check` show.
 *
 * @module
 */
import Type, { type TProperties, type TSchema } from 'typebox'
import { type Address, parseAddress } from './address.ts'
import { durationPattern, parseDurationMs } from './duration.ts'
import { parseSizeBytes, sizePattern } from './size.ts'

interface FieldOptions<Value> {
  readonly description: string
  readonly default?: Value
}

/** A mapping of settings that is complete by its defaults. Unknown keys are errors. */
export const section = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description })

/** One element of a list of mappings. Unknown keys are errors. */
export const element = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, { additionalProperties: false, description })

/** A list with a limit; without a default of its own it is empty. */
export const list = <Item extends TSchema, Value extends unknown[] = never[]>(
  item: Item,
  options: FieldOptions<Value> & { maxItems: number; minItems?: number; uniqueItems?: boolean },
) => Type.Array(item, { default: [], ...options })

/** One of the given words. */
export const choice = <const Words extends readonly string[]>(
  words: Words,
  options: FieldOptions<Words[number]>,
) =>
  Type.Enum(words as readonly Words[number][], {
    errorMessage: `must be ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`,
    ...options,
  })

/** A duration such as `5s` between `min` and `max`; read it with `parseDurationMs`. */
export function duration(options: FieldOptions<string> & { min: string; max: string }) {
  const { min, max, ...annotations } = options
  const [minMs, maxMs] = [parseDurationMs(min), parseDurationMs(max)]
  const errorMessage = `must be a duration from ${min} to ${max}, for example ${options.default ?? '30s'}`
  const text = Type.String({ pattern: durationPattern, errorMessage, ...annotations })
  return Type.Refine(
    text,
    holds(parseDurationMs, valueMs => valueMs >= minMs && valueMs <= maxMs),
  )
}

/** A size such as `128MiB` between `min` and `max`; read it with `parseSizeBytes`. */
export function size(options: FieldOptions<string> & { min: string; max: string }) {
  const { min, max, ...annotations } = options
  const [minBytes, maxBytes] = [parseSizeBytes(min), parseSizeBytes(max)]
  const errorMessage = `must be a size from ${min} to ${max}, for example ${options.default ?? '64MiB'}`
  const text = Type.String({ pattern: sizePattern, errorMessage, ...annotations })
  return Type.Refine(
    text,
    holds(parseSizeBytes, bytes => bytes >= minBytes && bytes <= maxBytes),
  )
}

/** A whole number between `min` and `max`. */
export function count(options: FieldOptions<number> & { min: number; max: number }) {
  const { min, max, ...annotations } = options
  const errorMessage = `must be a whole number from ${min} to ${max}`
  return Type.Integer({ minimum: min, maximum: max, errorMessage, ...annotations })
}

/** An address to listen at: `host:port`, with `unix` also `unix:/path`; read it with `parseAddress`. */
export function listenAddress(options: FieldOptions<string> & { unix?: boolean }) {
  const { unix = false, ...annotations } = options
  const errorMessage = `must be host:port, for example ${options.default}${unix ? ', or unix:/path' : ''}`
  const text = Type.String({ minLength: 1, maxLength: 300, errorMessage, ...annotations })
  return Type.Refine(
    text,
    holds(parseAddress, address => unix || address.kind === 'tcp'),
  )
}

/** An address to connect to: `host:port`, the port not 0; read it with `parseAddress`. */
export function remoteAddress(options: FieldOptions<string>) {
  const errorMessage = 'must be host:port, for example 127.0.0.1:18000'
  const text = Type.String({ minLength: 1, maxLength: 300, errorMessage, ...options })
  const hasPort = (address: Address) => address.kind === 'tcp' && address.port > 0
  return Type.Refine(text, holds(parseAddress, hasPort))
}

/** Text that `what` names in errors, without control characters, optionally of a stricter shape. */
export const text = (
  what: string,
  options: FieldOptions<string> & { maxLength: number; pattern?: string; writeOnly?: boolean },
) =>
  Type.String({
    minLength: 1,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    errorMessage: `must be ${what}`,
    ...options,
  })

/** An absolute http or https URL without credentials. */
export function httpUrl(options: FieldOptions<string>) {
  const errorMessage = 'must be an http:// or https:// URL without user and password'
  return Type.Refine(
    Type.String({ pattern: '^https?://', maxLength: 2_048, errorMessage, ...options }),
    holds(
      value => new URL(value),
      url => url.username === '' && url.password === '',
    ),
  )
}

/** A scrypt hash of a secret; errors never show its value. */
export function secretHash(options: FieldOptions<string>) {
  const cost = 'ln=1[0-6],r=([1-9]|[12][0-9]|3[0-2]),p=([1-9]|1[0-6])'
  return text(
    'a hash $scrypt$ln=15,r=8,p=1$<salt>$<hash> (ln 10 to 16, r 1 to 32, p 1 to 16, base64 without padding)',
    {
      maxLength: 256,
      pattern: `^\\$scrypt\\$${cost}\\$[A-Za-z0-9+/]{11,86}\\$[A-Za-z0-9+/]{22,86}$`,
      writeOnly: true,
      ...options,
    },
  )
}

const holds =
  <Parsed>(parse: (value: string) => Parsed, allowed: (parsed: Parsed) => boolean) =>
  (value: string): boolean => {
    try {
      return allowed(parse(value))
    } catch {
      return false
    }
  }
