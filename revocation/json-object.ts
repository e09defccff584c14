/**
 * Strict JSON objects from untrusted octets: valid UTF-8, no repeated member, bounded depth.
 *
 * @module
 */

/** A JSON object as JSON.parse gives it. Read members with {@link ownMember} only. */
export type JsonObject = Readonly<Record<string, unknown>>

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

// ignoreBOM keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259 section 8.1).
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses octets that must be one JSON object. Members that occur twice are refused at any depth (RFC 7515
 * section 4 allows that; readers that pick different ones would judge different tokens). Linear time, never throws.
 *
 * @param depthLimit how deep objects and arrays may nest; the object itself counts as 1
 * @returns the object, or undefined if the octets are anything else
 */
export function parseJsonObject(octets: Uint8Array, depthLimit: number): JsonObject | undefined {
  try {
    const text = strictUtf8.decode(octets)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && isUnambiguous(text, depthLimit) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a parsed JSON value is an object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member of the object itself, never one of its prototype; undefined if it has none of that name. */
export function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Scans text that is known to be valid JSON; an array's place in the stack holds no names. */
function isUnambiguous(text: string, depthLimit: number): boolean {
  const open: (Set<string> | undefined)[] = []
  let nameComesNext = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (nameComesNext && !addName(open.at(-1), text.slice(at, end + 1))) return false
        nameComesNext = false
        at = end
        break
      }
      case openBrace:
        nameComesNext = true
        if (open.push(new Set()) > depthLimit) return false
        break
      case openBracket:
        nameComesNext = false
        if (open.push(undefined) > depthLimit) return false
        break
      case comma:
        nameComesNext = open.at(-1) !== undefined
        break
      case closeBrace:
      case closeBracket:
        nameComesNext = false
        open.pop()
        break
    }
  }
  return true
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at
    if (code === backslash) at++
  }
  return text.length
}

/** Two spellings of one name ("a" and "\u0061") are the same name. */
function addName(names: Set<string> | undefined, quoted: string): boolean {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (names === undefined || names.has(name)) return false
  names.add(name)
  return true
}
