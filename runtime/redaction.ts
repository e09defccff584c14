/**
 * Secrets never reach the log: fields that are named like one are replaced. Most lines have a few flat fields and no
 * secret, and cost next to nothing.
 *
 * @module
 */

const names = ['authorization', 'token', 'secret', 'client_secret', 'password', 'cookie']
const secretNames: ReadonlySet<string> = new Set(
  names.flatMap(name => [name, `${name[0]?.toUpperCase()}${name.slice(1)}`]),
)

/** How deep inside the fields secrets are looked for. */
const depthLimit = 3

const censor = '[redacted]'

/**
 * The fields of a log line with the values of secret ones replaced, also up to three levels inside them; the same object
 * if there are none.
 */
export function redactSecrets<Fields extends object>(fields: Fields, depth = 0): Fields {
  let redacted: Record<string, unknown> | undefined
  for (const [name, value] of Object.entries(fields)) {
    const shown = secretNames.has(name) ? censor : redactInside(value, depth)
    if (shown === value || value === undefined) continue
    redacted ??= (Array.isArray(fields) ? [...fields] : { ...fields }) as Record<string, unknown>
    redacted[name] = shown
  }
  return (redacted as Fields | undefined) ?? fields
}

const redactInside = (value: unknown, depth: number): unknown =>
  typeof value !== 'object' || value === null || depth >= depthLimit || ArrayBuffer.isView(value)
    ? value
    : redactSecrets(value, depth + 1)
