/**
 * The `log` section: what is logged, and in which form.
 *
 * @module
 */
import { choice, section } from '../fields.ts'

/** Schema of `log`. */
export const logSection = section('What is logged, and in which form.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], {
    default: 'info',
    description: 'The least important messages that are still logged.',
  }),
  format: choice(['auto', 'json', 'pretty'], {
    default: 'auto',
    description: 'json: one JSON object per line. pretty: for people. auto: pretty on a terminal, else json.',
  }),
})
