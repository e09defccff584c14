/**
 * A token from standard input, so that it stays out of the shell's history.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

const inputLimit = 16_384

/** The token that an argument gives; `-` stands for standard input. */
export const tokenOf = (argument: string): string =>
  argument === '-' ? readFileSync(0, 'utf8').slice(0, inputLimit).trim() : argument
