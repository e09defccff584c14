/**
 * The breaks, ordered by the invariant that they break.
 *
 * @module
 */
import { adminBreaks } from './admin-breaks.ts'
import type { Break } from './break.ts'
import { clientBreaks } from './client-breaks.ts'
import { confirmationBreaks } from './confirmation-breaks.ts'
import { fleetBreaks } from './fleet-breaks.ts'
import { grantBreaks } from './grant-breaks.ts'
import { logBreaks } from './log-breaks.ts'
import { relayBreaks } from './relay-breaks.ts'
import { requestBreaks } from './request-breaks.ts'
import { rollbackBreaks } from './rollback-breaks.ts'
import { sotwBreaks } from './sotw-breaks.ts'
import { sourceBreaks } from './source-breaks.ts'
import { stateBreaks } from './state-breaks.ts'
import { tlsBreaks } from './tls-breaks.ts'

/** Every break that `npm run test:break` tries. */
export const breaks: readonly Break[] = [
  ...stateBreaks,
  ...logBreaks,
  ...sourceBreaks,
  ...requestBreaks,
  ...clientBreaks,
  ...grantBreaks,
  ...relayBreaks,
  ...rollbackBreaks,
  ...tlsBreaks,
  ...fleetBreaks,
  ...confirmationBreaks,
  ...sotwBreaks,
  ...adminBreaks,
].sort((one, other) => one.invariant - other.invariant)
