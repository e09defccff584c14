/**
 * Times of revocations: whole seconds since 1970 in 32 bits, which end in 2106.
 *
 * @module
 */

/** The latest time that an entry can hold; later ones saturate here. As issuedBefore it means: whatever the iat. */
export const latestSeconds = 0xffff_ffff

/** Seconds rounded up and saturated, so that nothing is forgotten too early. */
export const secondsUp = (seconds: number): number => Math.min(latestSeconds, Math.max(0, Math.ceil(seconds)))

/** Seconds rounded down and saturated: a token's iat before it is compared with issuedBefore. */
export const secondsDown = (seconds: number): number =>
  Math.min(latestSeconds, Math.max(0, Math.floor(seconds)))
