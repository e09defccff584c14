/**
 * Whether something stays on this machine.
 *
 * @module
 */
import { parseAddress } from './address.ts'

/** Whether a host name or address (IPv6 with or without brackets) is that of this machine. */
export const isLoopbackHost = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host)

/** Whether an address, as {@link parseAddress} reads it, stays on this machine; a Unix socket does. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text)
  return address.kind === 'unix' || isLoopbackHost(address.host)
}
