/**
 * The end of a process: an orderly stop on SIGTERM and SIGINT, and a one-line error when it cannot start.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { listenError } from './listen.ts'
import type { Logger } from './logger.ts'

/** Signals that stop the process. */
export type StopSignal = 'SIGTERM' | 'SIGINT'

const signals: readonly StopSignal[] = ['SIGTERM', 'SIGINT']

/** How to stop. */
export interface ShutdownOptions {
  readonly logger: Logger
  /** A stop that takes longer is given up. */
  readonly limitMs: number
}

/**
 * Calls `stop` once on the first SIGTERM or SIGINT and exits with 0 when it is done, with 1 when it fails or takes
 * longer than `limitMs`. A second signal exits at once with 130.
 *
 * @returns a function that takes the signal handlers away again
 */
export function onShutdown(
  stop: (signal: StopSignal) => Promise<void>,
  { logger, limitMs }: ShutdownOptions,
): () => void {
  let stopping = false
  const onSignal = (signal: StopSignal) => {
    if (stopping) {
      logger.warn({ signal }, 'second signal: exiting at once')
      process.exit(130)
    }
    stopping = true
    logger.info({ signal }, 'stopping')
    void stopWithin(stop, signal, { logger, limitMs })
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

async function stopWithin(
  stop: (signal: StopSignal) => Promise<void>,
  signal: StopSignal,
  { logger, limitMs }: ShutdownOptions,
): Promise<never> {
  setTimeout(() => {
    logger.error({ limitMs }, 'stopping took too long: exiting')
    process.exit(1)
  }, limitMs)
  try {
    await stop(signal)
  } catch (err) {
    logger.error({ err }, 'stopping failed')
    process.exit(1)
  }
  logger.info({}, 'stopped')
  process.exit(0)
}

/** How much to say about an error that nobody expected. */
export interface StartupErrorOptions {
  /** `log.level`; with debug or trace the stack of an unexpected error is shown. */
  readonly logLevel?: string
}

/** Prints why the process cannot start, as one line on standard error, and exits with 1. */
export function failStartup(error: unknown, options: StartupErrorOptions = {}): never {
  process.stderr.write(`${startupErrorText(error, options)}\n`)
  process.exit(1)
}

/** What `failStartup` prints: `error: ... [CODE]`, without a stack for what a person can cause. */
export function startupErrorText(error: unknown, { logLevel }: StartupErrorOptions = {}): string {
  const known = error instanceof RescindError ? error : addressError(error)
  if (known instanceof RescindError) return `error: ${known.message} [${known.code}]`
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (logLevel === 'debug' || logLevel === 'trace') return `error: ${stack ?? message}`
  const [line = ''] = message.split('\n')
  return `error: ${line} (unexpected; set RESCIND_LOG_LEVEL=debug to see where it comes from)`
}

/** A bare error of listening, which carries the address but not the setting. */
function addressError(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  const { syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  if (syscall !== 'listen' && syscall !== 'bind') return undefined
  const where = port === undefined || port < 0 ? String(address) : `${address}:${port}`
  return listenError('address', where, error)
}
