/**
 * What a break is: one deliberate mistake in the product, and the test that must notice it.
 *
 * @module
 */

/** A change of one file. */
export interface Replacement {
  /** The file that is changed, from the project's root. */
  readonly file: string
  /** The text to replace; it must be in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** A mistake that breaks an invariant. */
export interface Break extends Replacement {
  /** The number of the invariant, see invariants.ts. */
  readonly invariant: number
  /** What is wrong then, as a sentence. */
  readonly what: string
  /** The file of the test that must notice it, below test/. */
  readonly testFile: string
  /** The name of that test itself, without those of the groups around it. */
  readonly testName: string
  /** The test needs a real component, such as Envoy; absent: it needs nothing but Node. */
  readonly needs?: readonly string[]
}

/**
 * The source with its mistake.
 *
 * @throws Error if the text to replace is not there exactly once: then the product has changed, and the break must too.
 */
export const broken = (source: string, { file, find, replace }: Replacement): string => {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`${file} has this ${parts.length - 1} times: ${find}`)
  return parts.join(replace)
}
