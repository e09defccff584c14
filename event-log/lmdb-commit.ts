/**
 * LMDB rejects a second promise when a commit fails, which would end the process.
 *
 * @module
 */

/**
 * For the `catch` of a transaction: takes care of that promise.
 *
 * @throws the error that it was given.
 */
export function settleCommit(error: Error & { commitError?: Promise<unknown> }): never {
  error.commitError?.catch(() => undefined)
  throw error
}
