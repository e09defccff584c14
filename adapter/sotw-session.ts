/**
 * One state-of-the-world stream as a state machine: requests and clock ticks in, messages out. No I/O.
 *
 * Its clients (Choreo Connect's enforcers) only add tokens, so whatever comes twice does no harm: each stream begins with
 * everything, and begins anew whenever something might be missing.
 *
 * @module
 */
import { revokedTokenTypeUrl, type SotwRequestMessage } from '../proto/wire.ts'
import { backOffMs, shownNack } from './back-off.ts'
import type { Outgoing } from './batches.ts'
import { type NodeIdentity, nodeOf } from './first-request.ts'
import type { FullSet, SotwBatches, WalkStep } from './sotw-batches.ts'
import type { Following, SessionStatus } from './stream-session.ts'

/** What a session works on. */
export interface SotwSessionSources {
  readonly batches: SotwBatches
  readonly follower: Pick<Following, 'complete' | 'restarts'>
  /** 0 to 1, for the jitter of back-off. */
  readonly random: () => number
}

/** The session of one stream. Times are monotonic milliseconds. */
export interface SotwSession {
  readonly status: SessionStatus
  /**
   * Takes a request.
   *
   * @throws RescindError ERR_REQUEST_INVALID if the first one does not say who asks for what.
   */
  receive(request: SotwRequestMessage, nowMs: number): void
  /** The next message to write; `working` if it comes after another turn of the event loop. */
  next(nowMs: number): Outgoing | 'working' | undefined
}

/** Messages of which an ACK can still tell something. What is sent does not wait for ACKs: they may come on another stream. */
const rememberedLimit = 1_000

type Phase =
  | { readonly name: 'silent' }
  /** Everything must be sent as soon as the state is complete. */
  | { readonly name: 'beginning' }
  | { readonly name: 'walking'; readonly steps: FullSet['steps'] }
  | { readonly name: 'following' }
  | { readonly name: 'backing off'; readonly untilMs: number }

/**
 * The identity in a first request. A server of this protocol serves one type only, so that clients may leave it out.
 *
 * @throws RescindError ERR_REQUEST_INVALID as {@link nodeOf} does.
 */
export const sotwNodeOf = (request: SotwRequestMessage): NodeIdentity =>
  nodeOf({ ...request, typeUrl: request.typeUrl || revokedTokenTypeUrl }, revokedTokenTypeUrl)

/** Creates the session of a stream that was just opened. */
export function createSotwSession({ batches, follower, random }: SotwSessionSources): SotwSession {
  let phase: Phase = { name: 'silent' }
  let { restarts } = follower
  let cursor = 0
  /** The latest version among messages that were sent ahead of the walk's end. */
  let sentAhead = -1
  const unacked: { readonly nonce: string; readonly to: number }[] = []
  let refusals = 0
  let node: NodeIdentity | undefined
  let ackedVersion = -1
  let lastAckAtMs: number | undefined
  let nackError: string | undefined
  let lastNack: SessionStatus['lastNack']

  const begin = () => {
    phase = { name: 'beginning' }
    unacked.length = 0
  }

  const acked = (nonce: string, nowMs: number) => {
    lastAckAtMs = nowMs
    const index = unacked.findIndex(message => message.nonce === nonce)
    if (index < 0) return
    for (const { to } of unacked.splice(0, index + 1)) {
      if (to < 0) continue
      ackedVersion = Math.max(ackedVersion, to)
      // Only now: of a full set all but one message may be to its liking.
      refusals = 0
    }
    nackError = undefined
  }

  const nacked = (request: SotwRequestMessage, nowMs: number) => {
    if (phase.name === 'backing off') return
    nackError = shownNack(request.errorDetail)
    lastNack = { atMs: nowMs, error: nackError }
    unacked.length = 0
    phase = { name: 'backing off', untilMs: nowMs + backOffMs(refusals++, random) }
  }

  const leaveWaiting = (nowMs: number) => {
    if (phase.name === 'silent') return
    if (restarts !== follower.restarts) {
      begin()
      ackedVersion = -1
    }
    if (!follower.complete) return
    restarts = follower.restarts
    if (phase.name === 'backing off' && nowMs >= phase.untilMs) begin()
    if (phase.name !== 'beginning') return
    const full = batches.full()
    cursor = full.cursor
    sentAhead = -1
    phase = { name: 'walking', steps: full.steps }
  }

  /** What is new comes first, also while everything is walked: it need not wait, and may not be kept for long. */
  const nextNew = (): Outgoing | 'working' | undefined => {
    const message = batches.after(cursor)
    if (message === 'lost') {
      begin()
      return 'working'
    }
    if (message !== undefined) cursor += 1
    return message
  }

  const sent = (message: Outgoing): Outgoing => {
    let { to } = message
    if (phase.name === 'walking') {
      sentAhead = Math.max(sentAhead, to)
      to = -1
    }
    unacked.push({ nonce: message.nonce, to })
    if (unacked.length > rememberedLimit) unacked.shift()
    return message
  }

  const nextOfWalk = ({ steps }: Extract<Phase, { name: 'walking' }>): Outgoing | 'working' | undefined => {
    const step: WalkStep | undefined = steps.next().value
    if (step === 'waiting') return undefined
    if (step === 'working') return step
    if (step === undefined || step.to >= 0) phase = { name: 'following' }
    if (step === undefined) return 'working'
    return sent({ ...step, to: step.to < 0 ? -1 : Math.max(step.to, sentAhead) })
  }

  return {
    get status() {
      return {
        node,
        protocol: 'sotw' as const,
        partial: true,
        ackedVersion: restarts === follower.restarts ? ackedVersion : -1,
        lastAckAtMs,
        nackError,
        lastNack,
        retryAtMs: phase.name === 'backing off' ? phase.untilMs : undefined,
        saidGoodbye: false,
      }
    },
    receive: (request, nowMs) => {
      if (phase.name === 'silent') {
        node = sotwNodeOf(request)
        begin()
      } else if (request.errorDetail !== null) nacked(request, nowMs)
      else if (request.responseNonce !== '') acked(request.responseNonce, nowMs)
    },
    next: nowMs => {
      leaveWaiting(nowMs)
      if (phase.name !== 'walking' && phase.name !== 'following') return undefined
      const message = nextNew()
      if (message === 'working') return message
      if (message !== undefined) return sent(message)
      return phase.name === 'walking' ? nextOfWalk(phase) : undefined
    },
  }
}
