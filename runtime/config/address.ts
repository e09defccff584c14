/**
 * Addresses as people write them in the configuration: `127.0.0.1:8081`, `[::1]:8081`, `unix:/run/rescind.sock`.
 *
 * @module
 */
import { isIPv6 } from 'node:net'
import { RescindError } from '../../revocation/error.ts'

/** Where to listen or to connect: a TCP host (IPv6 without brackets) and port, or the path of a Unix socket. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** Linux keeps the path of a Unix socket in 108 bytes, the last of them 0. */
const unixPathLimitBytes = 107

/**
 * Reads `host:port`, `[IPv6]:port` or `unix:/absolute/path`. Port 0 means any free port.
 *
 * @throws RescindError ERR_CONFIG_INVALID when `text` is none of them
 */
export function parseAddress(text: string): Address {
  const address = text.startsWith('unix:') ? unixAddress(text.slice('unix:'.length)) : tcpAddress(text)
  if (address === undefined) {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      `${JSON.stringify(text.slice(0, 80))} is not an address: write host:port, [IPv6]:port or unix:/path`,
    )
  }
  return address
}

/** Writes an address as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

function unixAddress(path: string): Address | undefined {
  const fits = path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= unixPathLimitBytes
  return fits ? { kind: 'unix', path } : undefined
}

function tcpAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253})):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (!(port <= 65_535)) return undefined
  if (bracketed !== undefined) return isIPv6(bracketed) ? { kind: 'tcp', host: bracketed, port } : undefined
  return plain === undefined ? undefined : { kind: 'tcp', host: plain, port }
}
