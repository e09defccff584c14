/**
 * Follows a log: reads it from the start into a live state and keeps up with it.
 *
 * @module
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type Applied, applyEntry } from '../revocation/apply-entry.ts'
import { LiveState } from '../revocation/live-state.ts'
import type { EventLog, LogEntry } from './event-log.ts'

/** What a follower is told to do and whom it tells. */
export interface FollowOptions {
  readonly log: EventLog
  /** Clock difference and tolerance for which expired revocations are kept, seconds. */
  readonly graceSeconds: number
  /** Called for each entry after it took effect, or was passed as a dead letter. */
  readonly onApplied?: (entry: LogEntry, applied: Applied) => void
  /** Called after each page of entries. */
  readonly onProgress?: (position: number, end: number) => void
  /** Called when reading the log fails; reading goes on after a second. */
  readonly onError?: (error: unknown) => void
  /** Called when following ends because the program is wrong; nothing is read any more. */
  readonly onFatal?: (error: unknown) => void
  /** Wall clock in milliseconds; default Date.now. */
  readonly nowMs?: () => number
}

/** A follower of a log. */
export interface LogFollower {
  /** The state at `state.position`. */
  readonly state: LiveState
  /** Resolves when the end that was read at the start has been reached. */
  readonly caughtUp: Promise<void>
  /** False until {@link caughtUp}. */
  readonly complete: boolean
  /** When (monotonic milliseconds) an end of the log was read that the state has reached; -Infinity before. */
  readonly confirmedAtMs: number
  /** Calls back after the state has changed; returns how to stop that. */
  subscribe(listener: () => void): () => void
  /** Resolves when the state has reached a position. */
  reached(position: number): Promise<void>
  close(): Promise<void>
}

const endCheckMs = 1_000
const pruneMs = 250
const pruneKeysPerStep = 2_000
const retryMs = 1_000

/** Starts following a log from its first entry. */
export function followLog(options: FollowOptions): LogFollower {
  const { log } = options
  const nowMs = options.nowMs ?? Date.now
  const state = new LiveState()
  const listeners = new Set<() => void>()
  const stop = new AbortController()
  let confirmedAtMs = Number.NEGATIVE_INFINITY
  let complete = false
  let unreached: { position: number; readAtMs: number } | undefined
  let reportComplete: () => void = () => undefined
  const caughtUp = new Promise<void>(resolve => {
    reportComplete = resolve
  })

  const confirm = () => {
    if (unreached === undefined || state.position < unreached.position) return
    confirmedAtMs = unreached.readAtMs
    unreached = undefined
    complete = true
    reportComplete()
  }

  const checkEnd = async () => {
    const readAtMs = performance.now()
    const end = await log.end()
    unreached ??= { position: end.position, readAtMs }
    confirm()
    for (const listener of listeners) listener()
  }

  const applyPage = (page: readonly LogEntry[]) => {
    for (const entry of page) {
      const applied = applyEntry(state, entry.position, entry.digest, entry.event)
      options.onApplied?.(entry, applied)
    }
    options.onProgress?.(state.position, unreached?.position ?? state.position)
    confirm()
    for (const listener of listeners) listener()
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

  const follow = async () => {
    while (!stop.signal.aborted) {
      try {
        await checkEnd()
        for await (const page of log.read(state.position, stop.signal)) {
          if (!tryApply(page)) return
          await nextTurn()
        }
        return // The log was closed; asking it again would never wait.
      } catch (error) {
        options.onError?.(error)
      }
      if (!stop.signal.aborted)
        await pause(retryMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }

  const following = follow()
  const checking = setInterval(() => {
    checkEnd().catch(error => options.onError?.(error))
  }, endCheckMs)
  const pruning = setInterval(() => {
    state.pruneStep(Math.floor(nowMs() / 1000) - options.graceSeconds, pruneKeysPerStep)
  }, pruneMs)

  return {
    state,
    caughtUp,
    get complete() {
      return complete
    },
    get confirmedAtMs() {
      return confirmedAtMs
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reached: position =>
      new Promise(done => {
        const check = () => {
          if (state.position < position) return
          listeners.delete(check)
          done()
        }
        listeners.add(check)
        check()
      }),
    close: async () => {
      clearInterval(checking)
      clearInterval(pruning)
      stop.abort()
      await following
    },
  }
}
