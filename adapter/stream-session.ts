/**
 * One delta stream as a state machine: requests and clock ticks in, messages out. No I/O.
 *
 * @module
 */
import type { DeltaRequestMessage } from '../proto/wire.ts'
import { revocationBatchTypeUrl } from '../proto/wire.ts'
import type { LiveState } from '../revocation/live-state.ts'
import { backOffMs, shownNack } from './back-off.ts'
import { type Batches, type Outgoing, signOfLife } from './batches.ts'
import { type NodeIdentity, nodeOf, type ResumePoint, resumeOf } from './first-request.ts'

/** What a session works on. Times are monotonic milliseconds. */
export interface SessionSources {
  readonly state: LiveState
  readonly batches: Batches
  /** How the log is followed; see `LogFollower`. */
  readonly follower: Following
  /** 0 to 1, for the jitter of back-off. */
  readonly random: () => number
}

/** What a session must know of how the log is followed. */
export interface Following {
  /** Nothing is answered while this is false. */
  readonly complete: boolean
  /** Changes when the state was read again from the start of the log: every stream then begins anew. */
  readonly restarts: number
  /** How often that was because the log had lost its tail, or was another one. */
  readonly rollbacks: number
  /** When an end of the log was last read that the state has reached, monotonic milliseconds. */
  readonly confirmedAtMs: number
}

/** What the fleet status shows of a stream. Times are monotonic milliseconds. */
export interface SessionStatus {
  readonly node: NodeIdentity | undefined
  readonly protocol: 'delta' | 'sotw'
  /** The enforcer cannot be told everything that is revoked. */
  readonly partial: boolean
  /** Last version that the enforcer said it has, of the state as it is served now; -1 before it said so. */
  readonly ackedVersion: number
  readonly lastAckAtMs: number | undefined
  /** Reason of the last NACK, until the next ACK. */
  readonly nackError: string | undefined
  /** The last NACK, whatever came since. */
  readonly lastNack: { readonly atMs: number; readonly error: string } | undefined
  /** When the full state is sent again after a NACK, while the stream waits for that. */
  readonly retryAtMs: number | undefined
  /** The enforcer said that it stopped serving. */
  readonly saidGoodbye: boolean
}

/** Messages without an ACK at which a stream waits. */
const unackedLimit = 8

const heartbeatMs = 1_000

type Phase =
  | { readonly name: 'silent' }
  /** The state is not complete, or the enforcer is ahead of it: wait until the log's end was read after it came. */
  | { readonly name: 'held'; readonly sinceMs: number; readonly resume: ResumePoint | undefined }
  /** The log was read again from its start: everybody begins anew when that is done. */
  | { readonly name: 'restarting' }
  | { readonly name: 'streaming' }
  | { readonly name: 'backing off'; readonly untilMs: number }

/** The session of one stream. */
export class StreamSession {
  readonly #sources: SessionSources
  #phase: Phase = { name: 'silent' }
  #restarts: number
  #rollbacks: number
  #run: Iterator<Outgoing> | undefined
  #version = -1
  #unacked: Pick<Outgoing, 'nonce' | 'to'>[] = []
  #lastSentAtMs = 0
  #node: NodeIdentity | undefined
  #ackedVersion = -1
  #lastAckAtMs: number | undefined
  #nackError: string | undefined
  #lastNack: SessionStatus['lastNack']
  #nacks = 0
  #saidGoodbye = false
  /** The enforcer was not told yet, in a full state that it took, that the log had lost its tail. */
  #owesRollback = false

  constructor(sources: SessionSources) {
    this.#sources = sources
    this.#restarts = sources.follower.restarts
    this.#rollbacks = sources.follower.rollbacks
  }

  /** What is known of the enforcer. */
  get status(): SessionStatus {
    const isOfThisState = this.#restarts === this.#sources.follower.restarts
    return {
      node: this.#node,
      protocol: 'delta',
      partial: false,
      ackedVersion: isOfThisState ? this.#ackedVersion : -1,
      lastAckAtMs: this.#lastAckAtMs,
      nackError: this.#nackError,
      lastNack: this.#lastNack,
      retryAtMs: this.#phase.name === 'backing off' ? this.#phase.untilMs : undefined,
      saidGoodbye: this.#saidGoodbye,
    }
  }

  /**
   * Takes a request.
   *
   * @throws RescindError ERR_REQUEST_INVALID if the first one does not say who asks for what.
   */
  receive(request: DeltaRequestMessage, nowMs: number): void {
    if (this.#phase.name === 'silent') this.#open(request, nowMs)
    else if (request.resourceNamesUnsubscribe.includes('*')) this.#saidGoodbye = true
    else if (request.errorDetail !== null) this.#nacked(request, nowMs)
    else this.#acked(request.responseNonce, nowMs)
  }

  /** The next message to write, if there is one and the enforcer keeps up. */
  next(nowMs: number): Outgoing | undefined {
    this.#leaveWaiting(nowMs)
    const message = this.#phase.name === 'streaming' ? this.#nextOfState(nowMs) : this.#signOfLife(nowMs)
    if (message === undefined) return undefined
    this.#lastSentAtMs = nowMs
    if (message.nonce !== '') this.#unacked.push({ nonce: message.nonce, to: message.to })
    return message
  }

  #open(request: DeltaRequestMessage, nowMs: number): void {
    this.#node = nodeOf(request, revocationBatchTypeUrl)
    this.#lastSentAtMs = nowMs
    this.#phase = { name: 'held', sinceMs: nowMs, resume: resumeOf(request) }
  }

  #leaveHeld(resume: ResumePoint | undefined, sinceMs: number): void {
    const { state, follower } = this.#sources
    const confirmation =
      resume?.epoch === state.epoch ? state.confirm(resume?.version ?? 0, resume?.digest ?? 0n) : 'different'
    if (resume === undefined || confirmation === 'trimmed') this.#startFull(false)
    else if (confirmation === 'confirmed') this.#resume(resume.version)
    // Whether the enforcer or this adapter is the one that knows a log which is gone can only be told afresh.
    else if (follower.confirmedAtMs > sinceMs) this.#startFull(true)
  }

  #resume(version: number): void {
    this.#ackedVersion = version
    this.#startRun(this.#sources.batches.walk(version), version)
  }

  #startFull(rolledBack: boolean): void {
    this.#owesRollback ||= rolledBack
    this.#startRun(this.#sources.batches.full(this.#owesRollback), -1)
  }

  #startRun(run: Iterator<Outgoing>, version: number): void {
    this.#phase = { name: 'streaming' }
    this.#run = run
    this.#version = version
    this.#unacked = []
  }

  #leaveWaiting(nowMs: number): void {
    const { follower } = this.#sources
    const { name } = this.#phase
    if (this.#restarts !== follower.restarts && name !== 'silent' && name !== 'held') this.#awaitNewState()
    if (!follower.complete) return
    this.#restarts = follower.restarts
    if (this.#phase.name === 'held') this.#leaveHeld(this.#phase.resume, this.#phase.sinceMs)
    else if (this.#phase.name === 'restarting') this.#startFull(follower.rollbacks !== this.#rollbacks)
    else if (this.#phase.name === 'backing off' && nowMs >= this.#phase.untilMs) this.#startFull(false)
    this.#rollbacks = follower.rollbacks
  }

  #awaitNewState(): void {
    this.#phase = { name: 'restarting' }
    this.#ackedVersion = -1
    this.#run = undefined
    this.#unacked = []
  }

  #nextOfRun(): Outgoing | undefined {
    const { batches } = this.#sources
    if (this.#run === undefined && this.#version !== batches.version) {
      this.#run = batches.shared(this.#version) ?? batches.walk(this.#version)
    }
    const next = this.#run?.next()
    if (next?.done === false) {
      this.#version = next.value.to
      return next.value
    }
    this.#run = undefined
    return next === undefined ? undefined : this.#nextOfRun()
  }

  #nextOfState(nowMs: number): Outgoing | undefined {
    if (this.#unacked.length >= unackedLimit) return undefined
    return this.#nextOfRun() ?? this.#heartbeat(nowMs)
  }

  #signOfLife(nowMs: number): Outgoing | undefined {
    const isDue = this.#phase.name !== 'silent' && nowMs - this.#lastSentAtMs >= heartbeatMs
    return isDue ? signOfLife : undefined
  }

  #heartbeat(nowMs: number): Outgoing | undefined {
    return nowMs - this.#lastSentAtMs >= heartbeatMs ? this.#sources.batches.heartbeat() : undefined
  }

  #acked(nonce: string, nowMs: number): void {
    const index = this.#unacked.findIndex(message => message.nonce === nonce)
    if (index < 0) return
    const { to } = this.#unacked[index] as Pick<Outgoing, 'to'>
    // In a full state only the last message has a version.
    if (to >= 0) {
      this.#ackedVersion = to
      this.#owesRollback = false
      this.#nacks = 0
    }
    this.#unacked.splice(0, index + 1)
    this.#lastAckAtMs = nowMs
    this.#nackError = undefined
  }

  #nacked(request: DeltaRequestMessage, nowMs: number): void {
    if (this.#phase.name === 'backing off' || !this.#isInFlight(request.responseNonce)) return
    this.#nackError = shownNack(request.errorDetail)
    this.#lastNack = { atMs: nowMs, error: this.#nackError }
    this.#phase = {
      name: 'backing off',
      untilMs: nowMs + backOffMs(this.#nacks++, this.#sources.random),
    }
    this.#run = undefined
    this.#unacked = []
  }

  /** Answers to what was sent before the state began anew say nothing about it. Heartbeats have no nonce. */
  #isInFlight(nonce: string): boolean {
    return nonce === '' || this.#unacked.some(message => message.nonce === nonce)
  }
}
