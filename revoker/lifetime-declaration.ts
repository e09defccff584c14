/**
 * Keeps the longest token lifetime declared in the log. A log that is new, or begins anew, is founded by that.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { beforeFirst, type EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'

/** What is to be declared, and where. */
export interface LifetimeDeclarationOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  readonly maxTokenLifetimeSeconds: number
  readonly logger: Logger
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** Something that sees to it that the log declares the lifetime. */
export interface LifetimeDeclaration {
  /** Resolves when the log, read to its end, declares at least this lifetime. */
  readonly declared: Promise<void>
  close(): void
}

/** What was appended is usually read within milliseconds. */
const readLimitMs = 10_000

/**
 * Declares the longest token lifetime whenever the log declares none or a shorter one, and again in time before a log
 * that forgets by itself forgets it. It never shrinks.
 */
export function keepLifetimeDeclared(options: LifetimeDeclarationOptions): LifetimeDeclaration {
  const { log, follower, codec, logger, maxTokenLifetimeSeconds: seconds, clock = systemClock } = options
  const { state } = follower
  let isDeclaring = false
  let isRefused = false
  let isReported = false
  let stopWaiting: () => void = () => undefined
  let report: () => void = () => undefined
  const declared = new Promise<void>(resolve => {
    report = resolve
  })

  const nowSeconds = () => clock.wallMs() / 1000

  const isDeclared = () =>
    follower.complete &&
    state.lifetimes.seconds >= seconds &&
    state.declaredLifetimes.longestDeclaredAt > nowSeconds() - log.keptSeconds / 2

  /** A log may lose it before anybody has read it; then nothing is read, and it must be declared again. */
  const readInTime = (position: number) =>
    new Promise<boolean>(done => {
      stopWaiting = clock.after(readLimitMs, () => done(false))
      void follower.reached(position).then(isRead => {
        stopWaiting()
        done(isRead)
      })
    })

  const declare = async () => {
    // What an unread log declares is not known yet; but one that nobody has appended to cannot be read.
    if (!follower.complete && (await log.check(beforeFirst)).epoch !== undefined) return
    const declaredAt = Math.floor(nowSeconds())
    const longest = Math.max(seconds, state.declaredLifetimes.longestSeconds)
    const event = { kind: 'token-lifetime', seconds: longest, declaredAt } as const
    const isRead = await readInTime(await log.append(codec.encode(event, randomBytes(16).toString('hex'))))
    if (!isRead || state.lifetimes.seconds >= seconds) return
    isRefused = true
    logger.error(
      { configuredSeconds: seconds, declaredSeconds: state.lifetimes.seconds },
      'tokens.maxTokenLifetime was raised too often in this log; the shorter lifetime that it declares holds',
    )
  }

  const look = () => {
    if (isDeclared() || isRefused) reportOnce()
    else if (!isDeclaring) {
      isDeclaring = true
      declare()
        .catch(error =>
          logger.error({ err: error }, 'the longest token lifetime cannot be declared; trying again'),
        )
        .finally(() => {
          isDeclaring = false
        })
    }
  }

  const reportOnce = () => {
    if (isReported) return
    isReported = true
    if (state.lifetimes.seconds > seconds) {
      logger.warn(
        { declaredSeconds: state.lifetimes.seconds, configuredSeconds: seconds },
        'tokens.maxTokenLifetime is shorter than what the log declares; the longer one holds',
      )
    }
    report()
  }

  const unsubscribe = follower.subscribe(look)
  look()
  return {
    declared,
    close: () => {
      unsubscribe()
      stopWaiting()
    },
  }
}
