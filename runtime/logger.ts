/**
 * Logging: JSON lines with ISO times, or a readable form on a terminal. Secrets are redacted by field name.
 *
 * @module
 */
import { type DestinationStream, type LoggerOptions, pino, stdSerializers, stdTimeFunctions } from 'pino'
import { PinoPretty } from 'pino-pretty'
import { RescindError } from '../revocation/error.ts'
import type { Config } from './config/schema.ts'
import { redactSecrets } from './redaction.ts'

/** The levels, least important first. */
export type LogLevel = Config['log']['level']

/** Logs one message; `fields` are structured beside it. An error belongs in the field `err`. */
export type LogMessage = (fields: object, message: string) => void

/** What the project uses of a logger. */
export interface Logger {
  /** The least important level that is logged; may be set at run time. */
  level: string
  readonly trace: LogMessage
  readonly debug: LogMessage
  readonly info: LogMessage
  readonly warn: LogMessage
  readonly error: LogMessage
  readonly fatal: LogMessage
}

/** How to log. */
export interface CreateLoggerOptions {
  readonly level: LogLevel
  readonly format: Config['log']['format']
  /** Which part of Rescind logs: `revoker`, `adapter`, `enforcer`... */
  readonly component: string
  /** Where lines go; default: standard output. */
  readonly output?: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/**
 * A logger that writes synchronously, so that nothing is lost when the process exits.
 *
 * @example createLogger({ level: 'info', format: 'auto', component: 'adapter' }).info({ version }, 'ready')
 */
export function createLogger(options: CreateLoggerOptions): Logger {
  const { level, format, component, output = process.stdout } = options
  const pretty = format === 'pretty' || (format === 'auto' && output.isTTY === true)
  const settings: LoggerOptions = {
    level,
    base: { component },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }), log: redactFields },
    serializers: { err: serializeError },
  }
  return pino(settings, pretty ? prettyStream(output) : jsonStream(output))
}

/** The error is redacted when it has been serialized: a copy of it would have no message. */
function redactFields({ err, ...fields }: Record<string, unknown>): Record<string, unknown> {
  const redacted = redactSecrets(fields)
  return err === undefined ? redacted : { ...redacted, err }
}

/** Errors that a person caused carry code and message but no stack. */
function serializeError(error: unknown): unknown {
  if (error instanceof RescindError) return { code: error.code, message: error.message }
  const shown = error instanceof Error ? stdSerializers.err(error) : error
  return typeof shown === 'object' && shown !== null ? redactSecrets(shown) : shown
}

function jsonStream(output: NodeJS.WritableStream): DestinationStream {
  return output === process.stdout ? pino.destination({ fd: 1, sync: true }) : output
}

function prettyStream(output: NonNullable<CreateLoggerOptions['output']>): DestinationStream {
  return PinoPretty({
    destination: output === process.stdout ? 1 : output,
    sync: true,
    colorize: output.isTTY === true,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{component}: {msg}',
    ignore: 'component',
  })
}
