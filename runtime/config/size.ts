/**
 * Sizes as people write them in the configuration: `512B`, `64KiB`, `128MiB`, `2GiB`.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

const unitsBytes = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const

/** Shape of a size, as a regular expression without flags (JSON Schema `pattern`). */
export const sizePattern = '^[0-9]{1,12}(B|KiB|MiB|GiB)$'

/** No size of the configuration is larger: 1024 GiB, in bytes. */
export const sizeLimitBytes = 1_024 * unitsBytes.GiB

/**
 * Bytes of a size such as `512B`, `64KiB`, `128MiB` or `2GiB`: a whole number and one unit, powers of 1024.
 *
 * @throws RescindError ERR_CONFIG_INVALID when `text` is not one, or is over 1024 GiB
 */
export function parseSizeBytes(text: string): number {
  const [, digits, unit] = /^([0-9]{1,12})(B|KiB|MiB|GiB)$/.exec(text) ?? []
  const sizeBytes = Number(digits) * unitsBytes[unit as keyof typeof unitsBytes]
  if (!(sizeBytes <= sizeLimitBytes)) {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      `${JSON.stringify(text.slice(0, 40))} is not a size: write 512B, 64KiB, 128MiB or 2GiB, at most 1024GiB`,
    )
  }
  return sizeBytes
}
