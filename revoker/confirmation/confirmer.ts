/**
 * Confirmed revocation: asks all adapters, again and again until every enforcer has the version or the time is over.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { childSignal } from '../../runtime/abort-signal.ts'
import type { Logger } from '../../runtime/logger.ts'
import { notTooOften } from '../../runtime/not-too-often.ts'
import type { AdapterSources } from './adapter-sources.ts'
import { type Confirmation, type Confirmer, unconfirmed } from './confirmation.ts'
import { createLogQuestions, type LogQuestionSources, type LogQuestions } from './log-question.ts'
import { verdictOf } from './verdict.ts'

/** What a confirmer works on. */
export interface ConfirmerOptions extends LogQuestionSources {
  readonly sources: AdapterSources
  /** So many may wait at a time. */
  readonly confirmationsLimit?: number
  readonly logger: Logger
}

/** Default of {@link ConfirmerOptions.confirmationsLimit}; adapters let 128 wait, of all revokers. */
export const defaultConfirmationsLimit = 64

/** What every round gets for the log and for names, also when the time is over. */
const leastMs = 250
const firstPauseMs = 20
const longestPauseMs = 1_000

/** A confirmer that can be stopped. */
export interface RunningConfirmer extends Confirmer {
  /** Answers everybody who waits with what is known. */
  close(): void
}

/** Creates a confirmer. */
export function createConfirmer(options: ConfirmerOptions): RunningConfirmer {
  const { sources, confirmationsLimit = defaultConfirmationsLimit, logger } = options
  const questions = createLogQuestions(options)
  const report = notTooOften(1_000, (notLogged, { reasons, ...confirmation }: Confirmation) =>
    logger.warn({ ...confirmation, reasons, notLogged }, 'a revocation is not confirmed by all enforcers'),
  )
  const waiting = new Set<ReturnType<typeof childSignal>>()

  const confirmUntil = async (published: Published, endMs: number, signal: AbortSignal) => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const leftMs = Math.max(0, Math.floor(endMs - performance.now()))
      const confirmation = await askAll(published, leftMs, signal, { questions, sources })
      const restMs = endMs - performance.now()
      if (confirmation.enforced || restMs <= 0 || signal.aborted) return confirmation
      await pause(Math.min(pauseMs, restMs), undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    confirm: async (published, waitMs, signal) => {
      const { position } = published
      if (sources.isEmpty)
        return unconfirmed(position, 'set revoker.confirmation.adapters to the admin ports of all adapters')
      if (waiting.size >= confirmationsLimit) return unconfirmed(position, 'too many are waiting; try again')
      const own = childSignal(signal)
      waiting.add(own)
      try {
        const confirmation = await confirmUntil(published, performance.now() + waitMs, own.signal)
        if (!confirmation.enforced && !own.signal.aborted) report(confirmation)
        return confirmation
      } finally {
        waiting.delete(own)
      }
    },
    close: () => {
      for (const own of waiting) own.abort()
    },
  }
}

type Published = Parameters<Confirmer['confirm']>[0]

/** One round: each adapter answers when its enforcers have the version, or when the time is over. */
async function askAll(
  { position, isByJti }: Published,
  leftMs: number,
  signal: AbortSignal,
  { questions, sources }: { readonly questions: LogQuestions; readonly sources: AdapterSources },
): Promise<Confirmation> {
  const question = await within(Math.max(leftMs, leastMs), questions.of(position), signal)
  if (question === undefined) return unconfirmed(position, 'the event log does not confirm this version now')
  const adapters = await within(leastMs, sources.current(), signal)
  if (adapters === undefined) return unconfirmed(position, 'the names of adapters are not resolved in time')
  const answers = await Promise.all(adapters.map(source => source.ask(question, leftMs, signal)))
  return verdictOf({ version: position, epoch: question.epoch, isByJti }, answers)
}

/** What comes too late, or fails, is undefined. */
async function within<Value>(
  limitMs: number,
  value: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  const over = new AbortController()
  const late = pause(limitMs, undefined, { signal: AbortSignal.any([over.signal, signal]) })
  try {
    return await Promise.race([value, late]).catch(() => undefined)
  } finally {
    over.abort()
  }
}
