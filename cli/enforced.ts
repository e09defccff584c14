/**
 * Waiting for enforcers on the command line: asked for by `Prefer: wait`, told in the answer.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander'
import type { Confirmation } from '../revoker/confirmation/confirmation.ts'
import { waitSecondsLimit } from '../revoker/confirmation/prefer.ts'
import { printable } from '../runtime/printable.ts'
import { exitCodes } from './exit-codes.ts'

/** The option of commands that can wait. */
export interface WaitOption {
  /** Seconds. */
  readonly wait?: number
}

/** An answer that tells what enforcers have, if they were waited for. */
export interface ConfirmedAnswer {
  readonly confirmation?: Confirmation
}

/** Reads the option. Throws InvalidArgumentError. */
export function wholeSeconds(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= waitSecondsLimit) return Number(text)
  throw new InvalidArgumentError(`It must be a whole number of seconds from 0 to ${waitSecondsLimit}.`)
}

/** The headers that ask a revoker to wait. */
export const waitHeaders = ({ wait }: WaitOption): Readonly<Record<string, string>> =>
  wait === undefined ? {} : { prefer: `wait=${wait}` }

/** The command ends with 2 if enforcers were waited for and not all of them are known to have it. */
export function endByConfirmation({ confirmation }: ConfirmedAnswer, { wait }: WaitOption): void {
  if (wait !== undefined && confirmation?.enforced !== true) process.exitCode = exitCodes.pending
}

/** What people are told of that. */
export function confirmationLines({ confirmation }: ConfirmedAnswer, { wait }: WaitOption): string[] {
  if (wait === undefined) return []
  if (confirmation === undefined) return ['NOT KNOWN TO BE ENFORCED: this revoker asks no adapters']
  const { enforced, acked, enforcers, verified, reasons } = confirmation
  const who = `${acked} of ${enforcers} enforcers${verified ? '' : ', which are not known by certificates'}`
  if (enforced) return [`enforced by ${who}`]
  return [`NOT KNOWN TO BE ENFORCED: by ${who}`, ...reasons.map(reason => `  ${printable(reason)}`)]
}
