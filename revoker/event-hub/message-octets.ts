/**
 * A message's octets, though the client library parses bodies that are declared to be JSON and decodes text.
 *
 * @module
 */

/** Deeper than anything that the event hub publishes; JSON.stringify fails on what is nested some thousand deep. */
const depthLimit = 16

/**
 * The octets of a body as the library gives it; parsed JSON is written again.
 *
 * @returns undefined for JSON that is nested too deep. Never throws.
 */
export function octetsOf(body: unknown): Uint8Array | undefined {
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body)
  return isWithin(depthLimit, body) ? Buffer.from(JSON.stringify(body)) : undefined
}

const isWithin = (depth: number, value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every(child => isWithin(depth - 1, child)))
