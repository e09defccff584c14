/**
 * A token from standard input, so that it stays out of the shell's history.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../revocation/error.ts'

const inputLimit = 16_384

/**
 * The token that an argument gives; `-` stands for standard input.
 *
 * @throws RescindError ERR_REQUEST_INVALID if it is longer than any token may be.
 */
export function tokenOf(argument: string): string {
  const token = argument === '-' ? readFileSync(0, 'utf8').trim() : argument
  if (token.length <= inputLimit) return token
  throw new RescindError('ERR_REQUEST_INVALID', `the token is longer than ${inputLimit} characters`)
}
