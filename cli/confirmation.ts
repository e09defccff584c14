/**
 * Waiting for enforcers on the command line: asked for by `Prefer: wait`, told by `Revocation-Status`.
 *
 * @module
 */
import { printable } from '../runtime/printable.ts'
import { exitCodes } from './exit-codes.ts'

/** The option of commands that can wait. */
export interface WaitOption {
  /** Seconds. */
  readonly wait?: number
}

/** The headers that ask a revoker to wait. */
export const waitHeaders = ({ wait }: WaitOption): Readonly<Record<string, string>> =>
  wait === undefined ? {} : { prefer: `wait=${wait}` }

/** What enforcers have, if they were waited for. The command ends with 2 unless all of them have it. */
export function confirmationOf(headers: Headers, { wait }: WaitOption): string | undefined {
  if (wait === undefined) return undefined
  const status = headers.get('revocation-status') ?? 'pending; this revoker asks no adapters'
  if (!status.startsWith('enforced')) process.exitCode = exitCodes.pending
  return printable(status)
}

/** The same as a member of what is printed as JSON. */
export const confirmationMember = (status: string | undefined) =>
  status === undefined ? {} : { revocationStatus: status }
