/**
 * How often something can be done one after the other.
 *
 * @module
 */

/** Does something so many times and says how often that is in a second. */
export async function perSecond(times: number, action: (index: number) => Promise<void>): Promise<number> {
  const startedAtMs = performance.now()
  for (let index = 0; index < times; index++) await action(index)
  return (times * 1_000) / (performance.now() - startedAtMs)
}
