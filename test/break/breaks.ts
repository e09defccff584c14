/**
 * The breaks, ordered by the invariant that they break.
 *
 * @module
 */
import type { Break } from './break.ts'
import { requestBreaks } from './request-breaks.ts'
import { stateBreaks } from './state-breaks.ts'

/** Every break that `npm run test:break` tries. */
export const breaks: readonly Break[] = [...stateBreaks, ...requestBreaks]
