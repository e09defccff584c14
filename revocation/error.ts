/**
 * The one error class of the project, and the list of its codes.
 *
 * @module
 */

/** Stable codes of every error that a person can cause or must act on; docs/errors.md explains each. */
export type ErrorCode =
  | 'ERR_CONFIG_INVALID'
  | 'ERR_CONFIG_UNREADABLE'
  | 'ERR_ADDRESS_IN_USE'
  | 'ERR_TLS_FILE'
  | 'ERR_LOG_FOLDER'
  | 'ERR_DATA_FOLDER'
  | 'ERR_CHECKPOINT_INVALID'
  | 'ERR_LOG_IN_USE'
  | 'ERR_LOG_TAKEN'
  | 'ERR_LOG_TIMEOUT'
  | 'ERR_LOG_WRITE'
  | 'ERR_LOG_UNREACHABLE'
  | 'ERR_LOG_ROLLED_BACK'
  | 'ERR_LOG_SETUP'
  | 'ERR_LOG_EXHAUSTED'
  | 'ERR_EVENT_TOO_LARGE'
  | 'ERR_EVENT_INVALID'
  | 'ERR_REVOCATION_INVALID'
  | 'ERR_CLAIM_SET_UNKNOWN'
  | 'ERR_REVOCATIONS_LIMIT'
  | 'ERR_REVOCATION_UNKNOWN'
  | 'ERR_REVOCATION_MERGED'
  | 'ERR_CLAIM_SETS_LIMIT'
  | 'ERR_CURSOR_INVALID'
  | 'ERR_LOG_BEHIND'
  | 'ERR_BATCH_INVALID'
  | 'ERR_SNAPSHOT_INVALID'
  | 'ERR_TABLE_FULL'
  | 'ERR_OVERLOADED'
  | 'ERR_PROVIDER_UNREACHABLE'
  | 'ERR_REQUEST_FAILED'
  | 'ERR_REQUEST_INVALID'
  | 'ERR_GRANT_FORBIDDEN'
  | 'ERR_GRANT_REFUSED'
  | 'ERR_GRANTS_UNAVAILABLE'

/**
 * An error that says what went wrong, where, and what to do, with a stable `code`.
 *
 * @example throw new RescindError('ERR_CONFIG_INVALID', 'rescind.yaml: enforcer.address: must be host:port')
 */
export class RescindError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RescindError'
    this.code = code
  }
}
