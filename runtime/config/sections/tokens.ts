/**
 * The `tokens` section: time rules that hold for all tokens and revocations.
 *
 * @module
 */
import { duration, section } from '../fields.ts'

/** Schema of `tokens`. */
export const tokensSection = section('Time rules for all tokens. Adapters tell them to the enforcers.', {
  clockTolerance: duration({
    default: '30s',
    min: '0s',
    max: '5m',
    description: 'How far the clocks of issuers and enforcers may differ when exp, nbf and iat are judged.',
  }),
  maxTokenLifetime: duration({
    default: '30d',
    min: '1m',
    max: '3650d',
    description:
      'Tokens that live longer (exp - iat) are refused. "Everything issued before a time" is kept this long. It may only grow.',
  }),
  maxClockDifference: duration({
    default: '5m',
    min: '0s',
    max: '1d',
    description:
      'How far the clocks of our own processes may differ: revocations are kept this much longer than the tokens live.',
  }),
})
