/**
 * Clocks whose wall time a test sets.
 *
 * @module
 */
import { type Clock, systemClock } from '../../runtime/clock.ts'

/** This machine's clock with another wall clock, milliseconds. */
export const clockAt = (wallMs: () => number): Clock => ({ ...systemClock, wallMs })
