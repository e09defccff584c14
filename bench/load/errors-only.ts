/**
 * The logger of a product part inside a benchmark's program: errors go to stderr, which the benchmark shows when the
 * program ends too early.
 *
 * @module
 */
import type { Logger, LogMessage } from '../../runtime/logger.ts'

/** A logger for errors; `onInfo` is told of what the part logs as information. */
export const createErrorsOnlyLogger = (onInfo: LogMessage = () => undefined): Logger => {
  const ignore: LogMessage = () => undefined
  const show: LogMessage = (fields, message) => {
    const { err } = fields as { err?: Error }
    process.stderr.write(`${message}${err === undefined ? '' : `: ${err.stack}`}\n`)
  }
  return { level: 'info', trace: ignore, debug: ignore, info: onInfo, warn: ignore, error: show, fatal: show }
}
