/**
 * Follows a log: reads it into a live state and keeps up with it. When the log turns out to be another one, or to have
 * lost its tail, it is read again from its start, on top of what was known.
 *
 * @module
 */
import { type Applied, applyEntry } from '../revocation/apply-entry.ts'
import { RescindError } from '../revocation/error.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { LiveState } from '../revocation/live-state.ts'
import { type Clock, type Moment, momentOf, systemClock } from '../runtime/clock.ts'
import type { EventLog, LogCheck, LogEntry } from './event-log.ts'
import { type RestartReason, restartReasonOf } from './restart-reason.ts'

/** Told of an entry, and what became of it. It must not fail. */
export type AppliedListener = (entry: LogEntry, applied: Applied) => void

/** What a follower is told to do and whom it tells. */
export interface FollowOptions {
  readonly log: EventLog
  readonly codec: EventCodec
  /** The state to go on with; default a new one. */
  readonly state?: LiveState
  /** Clock difference and tolerance for which expired revocations are kept, seconds. */
  readonly graceSeconds: number
  /** Called for each entry after it took effect, or was passed as a dead letter. */
  readonly onApplied?: AppliedListener
  /** Called after each page of entries. */
  readonly onProgress?: (position: number, end: number) => void
  /** Called when the state has forgotten its position, and the log will be read from its start. */
  readonly onRestart?: (reason: RestartReason, check: LogCheck) => void
  /** Called before the state counts as complete, at the start and after each restart, until it succeeds. */
  readonly beforeComplete?: () => Promise<void>
  /** Called when reading the log fails; reading goes on after a second. */
  readonly onError?: (error: unknown) => void
  /** Called when following ends because the program is wrong; nothing is read any more. */
  readonly onFatal?: (error: unknown) => void
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** A follower of a log. */
export interface LogFollower {
  /** The state at `state.position`. */
  readonly state: LiveState
  /** Resolves when the end that was read at the start has been reached. */
  readonly caughtUp: Promise<void>
  /** Whether the state has reached an end of the log that was read since it began at the start. */
  readonly complete: boolean
  /** Whether nobody had ever appended to the log when it was first asked: then nobody was served from it before. */
  readonly foundNew: boolean
  /** How often the log was read again from its start. */
  readonly restarts: number
  /** How often that was because the log had lost its tail, or was another one. */
  readonly rollbacks: number
  /** When (monotonic milliseconds) an end of the log was read that the state has reached; -Infinity before. */
  readonly confirmedAtMs: number
  /** The same by the wall clock, which goes on while a machine sleeps. */
  readonly confirmedWallMs: number
  /** Calls back after the state has changed; returns how to stop that. */
  subscribe(listener: () => void): () => void
  /** Calls back for each entry after it took effect, or was passed as a dead letter; returns how to stop that. */
  onApplied(listener: AppliedListener): () => void
  /** Resolves when the state has reached a position: true; or when the log must be read from its start: false. */
  reached(position: number): Promise<boolean>
  close(): Promise<void>
}

const endCheckMs = 1_000
const pruneMs = 250
const pruneKeysPerStep = 2_000
const retryMs = 1_000

/** Starts following a log after the position of `state`. */
export function followLog(options: FollowOptions): LogFollower {
  const { log, state = new LiveState(), clock = systemClock } = options
  const listeners = new Set<() => void>()
  const appliedListeners = new Set<AppliedListener>()
  const stop = new AbortController()
  let reading = new AbortController()
  let confirmedAt: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY }
  let complete = false
  let foundNew = false
  let isCompleting = false
  let restarts = 0
  let rollbacks = 0
  let unreached: { end: number; readAt: Moment } | undefined
  let reportComplete: () => void = () => undefined
  const caughtUp = new Promise<void>(resolve => {
    reportComplete = resolve
  })

  const tellListeners = () => {
    for (const listener of listeners) listener()
  }

  const waitToRetry = () => clock.sleep(retryMs, stop.signal)

  const becomeComplete = async (ofRestart: number) => {
    isCompleting = true
    while (!stop.signal.aborted && !(await isKept())) await waitToRetry()
    isCompleting = false
    if (ofRestart !== restarts || stop.signal.aborted) return
    complete = true
    reportComplete()
    tellListeners()
  }

  const isKept = async (): Promise<boolean> => {
    try {
      await options.beforeComplete?.()
      return true
    } catch (error) {
      options.onError?.(error)
      return false
    }
  }

  const confirm = (readAt: Moment) => {
    confirmedAt = readAt
    unreached = undefined
    if (!complete && !isCompleting) becomeComplete(restarts)
  }

  /**
   * Takes note of where the log ends, and of whether that was reached: an end counts as reached only when the log was
   * asked again at that end, for what was read until then could be of a log that is gone.
   */
  const noteEnd = ({ epoch, end }: LogCheck, position: number, readAt: Moment) => {
    foundNew ||= epoch === undefined && state.epoch === undefined && restarts === 0
    state.epoch ??= epoch
    if (epoch === undefined) return
    if (position >= end) confirm(readAt)
    else if (unreached !== undefined && position >= unreached.end) confirm(unreached.readAt)
    // An end may have been named too late in the log: Kafka's own records at the end of a topic are never read.
    if (position < end && end < (unreached?.end ?? Number.POSITIVE_INFINITY)) unreached = { end, readAt }
  }

  /** Whether reading may go on after the position of the state. */
  const isContinued = async (): Promise<boolean> => {
    const readAt = momentOf(clock)
    const { position, digest } = state
    const ofRestart = restarts
    const check = await log.check({ position, digest })
    if (ofRestart !== restarts) return true
    if (restartReasonOf(state.epoch, check) !== undefined) return false
    noteEnd(check, position, readAt)
    tellListeners()
    return true
  }

  const restart = async () => {
    const readAt = momentOf(clock)
    const { position, digest } = state
    const check = await log.check({ position, digest })
    const reason = restartReasonOf(state.epoch, check)
    if (reason === undefined) return
    state.restart()
    complete = false
    unreached = undefined
    restarts += 1
    if (reason === 'rolled back') rollbacks += 1
    options.onRestart?.(reason, check)
    noteEnd(check, state.position, readAt)
    tellListeners()
  }

  const applyPage = (page: readonly LogEntry[]) => {
    for (const entry of page) {
      const applied = applyEntry(state, entry.position, entry.digest, entry.event, options.codec)
      options.onApplied?.(entry, applied)
      for (const listener of appliedListeners) listener(entry, applied)
    }
    options.onProgress?.(state.position, Math.max(state.position, unreached?.end ?? 0))
    if (!complete && state.position >= (unreached?.end ?? Number.POSITIVE_INFINITY)) checkAgain()
    tellListeners()
  }

  /** What a page holds cannot fail; if it does, going on would lose it. */
  const tryApply = (page: readonly LogEntry[]): boolean => {
    try {
      applyPage(page)
      return true
    } catch (error) {
      options.onFatal?.(error)
      return false
    }
  }

  /** Reads until the log is closed (false), or must be looked at anew (true). */
  const readOn = async (): Promise<boolean> => {
    if (!(await isContinued())) await restart()
    reading = new AbortController()
    const signal = AbortSignal.any([stop.signal, reading.signal])
    const { position, digest } = state
    for await (const page of log.read({ position, digest }, signal)) {
      if (!tryApply(page)) return false
      if (signal.aborted) break
      await clock.turn()
    }
    return reading.signal.aborted
  }

  const follow = async () => {
    let goesOn = true
    let seamsBefore = -1
    while (goesOn && !stop.signal.aborted) {
      goesOn = await readOn().catch(async error => {
        const isSeam = error instanceof RescindError && error.code === 'ERR_LOG_ROLLED_BACK'
        // The first time the log is asked at once; if it then finds nothing wrong, there is no hurry.
        if (isSeam && seamsBefore !== restarts) {
          seamsBefore = restarts
          return true
        }
        options.onError?.(error)
        await waitToRetry()
        return true
      })
    }
  }

  let isChecking = false
  const checkAgain = async () => {
    if (isChecking) return
    isChecking = true
    try {
      if (!(await isContinued())) reading.abort()
    } catch (error) {
      options.onError?.(error)
    } finally {
      isChecking = false
    }
  }

  const following = follow()
  const stopChecking = clock.every(endCheckMs, checkAgain)
  const stopPruning = clock.every(pruneMs, () => {
    const expiredAt = Math.floor(clock.wallMs() / 1000) - options.graceSeconds
    const readUntil = complete ? confirmedAt.wallMs / 1000 - options.graceSeconds : Number.NEGATIVE_INFINITY
    state.pruneStep(expiredAt, pruneKeysPerStep, readUntil)
  })

  return {
    state,
    caughtUp,
    get complete() {
      return complete
    },
    get foundNew() {
      return foundNew
    },
    get restarts() {
      return restarts
    },
    get rollbacks() {
      return rollbacks
    },
    get confirmedAtMs() {
      return confirmedAt.monotonicMs
    },
    get confirmedWallMs() {
      return confirmedAt.wallMs
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onApplied: listener => {
      appliedListeners.add(listener)
      return () => appliedListeners.delete(listener)
    },
    reached: position =>
      new Promise(done => {
        const ofRestart = restarts
        const look = () => {
          const isReached = ofRestart === restarts && state.position >= position
          if (!isReached && ofRestart === restarts) return
          listeners.delete(look)
          done(isReached)
        }
        listeners.add(look)
        look()
      }),
    close: async () => {
      stopChecking()
      stopPruning()
      stop.abort()
      await following
    },
  }
}
