/**
 * The preference `wait` of a request (RFC 7240 section 4.3).
 *
 * @module
 */

/** Longest wait, seconds; who asks for more gets this. */
export const waitSecondsLimit = 30

const wait = /^wait *= *"?(\d{1,9})"?$/i

/**
 * For how long an answer may be held back until enforcers have what was revoked, milliseconds; undefined if the request
 * does not ask for that. Of several `wait` the first counts (RFC 7240 section 2); one that is no number is passed over.
 */
export function waitMsOf(prefer: string | readonly string[] | undefined): number | undefined {
  const preferences = [prefer ?? []].flat().flatMap(value => value.split(','))
  for (const preference of preferences) {
    const [, seconds] = wait.exec(preference.split(';', 1)[0]?.trim() ?? '') ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), waitSecondsLimit) * 1_000
  }
  return undefined
}
