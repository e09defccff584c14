/**
 * A logger for tests that look at what was logged.
 *
 * @module
 */
import type { Logger } from '../../runtime/logger.ts'

/** A line that was logged. */
export interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps what an operator would see. */
export function createKeptLogger(): { readonly logger: Logger; readonly lines: readonly LoggedLine[] } {
  const lines: LoggedLine[] = []
  const keep = (level: LoggedLine['level']) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as LoggedLine['fields'] })
  }
  const drop = () => undefined
  const logger = { level: 'info', trace: drop, debug: drop, info: keep('info'), warn: keep('warn') }
  return { logger: { ...logger, error: keep('error'), fatal: keep('error') }, lines }
}
