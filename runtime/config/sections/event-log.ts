/**
 * The `eventLog` section: where revocations are stored, durable and in order.
 *
 * @module
 */
import { choice, duration, section, text } from '../fields.ts'

/** Schema of `eventLog`. */
export const eventLogSection = section('Where revocations are stored, durable and in order.', {
  driver: choice(['embedded'], {
    default: 'embedded',
    description: 'embedded: a database file (LMDB) in the process of `rescind all`.',
  }),
  folder: text('the path of a folder', {
    default: './rescind-data/log',
    maxLength: 4_096,
    description: 'Folder of the embedded log. It is created when missing; keep it on a durable volume.',
  }),
  appendTimeout: duration({
    default: '5s',
    min: '10ms',
    max: '1m',
    description: 'A revocation that is not stored by then is answered with 503 "may have been stored".',
  }),
})
