/**
 * The `enforcer.discovery` section: how an enforcer speaks to its adapters.
 *
 * @module
 */
import { section } from '../fields.ts'
import { switchedClientTls } from './client-tls.ts'

/** Schema of `enforcer.discovery`. */
export const discoverySection = section('How the enforcer speaks to its adapters.', {
  tls: switchedClientTls('TLS towards the adapters; the files are read again when they change.'),
})
