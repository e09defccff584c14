/**
 * The `revoker.confirmation` section: whom to ask whether a revocation is enforced.
 *
 * @module
 */
import Type from 'typebox'
import { list, section } from '../fields.ts'
import { clientTlsSection } from './client-tls.ts'

const adapterUrl = Type.Refine(
  Type.String({
    pattern: '^(dns\\+)?https?://',
    maxLength: 2_048,
    errorMessage:
      'must be an http:// or https:// URL without user and password, with dns+ in front if its name stands for several adapters',
    description: 'The base URL of the admin port of an adapter.',
  }),
  isBaseUrl,
)

/** Schema of `revoker.confirmation`. */
export const confirmationSection = section('Confirmed revocation (Prefer: wait): which enforcers have it.', {
  adapters: list(adapterUrl, {
    maxItems: 64,
    description:
      'The admin ports (adapter.adminAddress) of all adapters, such as http://adapter-1:18001; dns+http://adapters:18001 stands for every address of that name. An adapter in the same process counts without being named.',
  }),
  tls: clientTlsSection,
})

function isBaseUrl(text: string): boolean {
  const url = text.replace(/^dns\+/, '')
  if (!URL.canParse(url)) return false
  const { username, password, search, hash } = new URL(url)
  return [username, password, search, hash].every(part => part === '')
}
