/**
 * Durations as people write them in the configuration: `250ms`, `5s`, `5m`, `1h`, `30d`.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Shape of a duration, as a regular expression without flags (JSON Schema `pattern`). */
export const durationPattern = '^[0-9]{1,12}(ms|s|m|h|d)$'

/** No duration of the configuration is longer: ten years, in milliseconds. */
export const durationLimitMs = 3_650 * unitsMs.d

/**
 * Milliseconds of a duration such as `250ms`, `5s`, `5m`, `1h` or `30d`: a whole number and one unit.
 *
 * @throws RescindError ERR_CONFIG_INVALID when `text` is not one, or is longer than ten years
 */
export function parseDurationMs(text: string): number {
  const [, digits, unit] = /^([0-9]{1,12})(ms|s|m|h|d)$/.exec(text) ?? []
  const durationMs = Number(digits) * unitsMs[unit as keyof typeof unitsMs]
  if (!(durationMs <= durationLimitMs)) {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      `${JSON.stringify(text.slice(0, 40))} is not a duration: write 250ms, 5s, 5m, 1h or 30d, at most 3650d`,
    )
  }
  return durationMs
}
