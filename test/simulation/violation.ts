/**
 * A promise that was broken in a simulation.
 *
 * @module
 */

/** Says which rule was broken, and how. */
export class Violation extends Error {
  /** Of semantics or of the invariants. */
  readonly rule: string

  constructor(rule: string, message: string) {
    super(message)
    this.name = 'Violation'
    this.rule = rule
  }
}

/** A broken promise, to be thrown. */
export const violation = (rule: string, message: string) => new Violation(rule, message)
