/**
 * Deliberate mistakes in the product that break the rules by which revocations reach enforcers (docs/testing.md has the
 * table of them): the simulation must notice each.
 *
 * @module
 */
import type { Replacement } from '../break/break.ts'

/** A mistake that breaks a rule. */
export interface RuleBreak extends Replacement {
  readonly rule: Rule
  /** What is wrong then, as a sentence. */
  readonly what: string
  /** For what takes several accidents in a row: begin with a seed in which they happen. Default 1. */
  readonly firstSeed?: number
}

/** What the rules say, by their short names. */
export const ruleTexts = {
  'lost tail': 'A log that lost its tail, or is another one, is noticed, and what was enforced stays so.',
  complete: 'Nobody answers or is ready before it has everything, and nobody goes back.',
  resume: 'Only a confirmed resume goes on; a full state forgets nothing.',
  staleness: 'No enforcer says that its state is younger than it is.',
  'claim sets': 'Tokens are looked up by every claim set that something live needs.',
} as const

/** A rule by its short name. */
export type Rule = keyof typeof ruleTexts

/** Every break that `npm run simulate:break` tries. */
export const ruleBreaks: readonly RuleBreak[] = [
  {
    rule: 'lost tail',
    what: 'a lost tail passes for trimming',
    file: 'event-log/restart-reason.ts',
    find: "isSameEpoch ? undefined : 'rolled back'",
    replace: "isSameEpoch ? undefined : 'trimmed'",
  },
  {
    rule: 'lost tail',
    what: 'the log is not looked at while nothing comes from it',
    file: 'event-log/follow.ts',
    find: 'clock.every(endCheckMs, checkAgain)',
    replace: 'clock.every(endCheckMs * 1_000, checkAgain)',
  },
  {
    rule: 'lost tail',
    what: 'an adapter forgets what it knew when it reads the log again',
    file: 'revocation/live-state.ts',
    find: 'this.onRestart?.()\n',
    replace: 'this.onRestart?.()\n    while (!this.pruneStep(2 ** 33, 1_000));\n',
  },
  {
    rule: 'lost tail',
    what: 'what was restored in a tail that is lost stays restored',
    file: 'revocation/live-state.ts',
    find: '    this.restorations.clear()\n',
    replace: '',
  },
  {
    rule: 'lost tail',
    what: 'an adapter serves what is left over before that is on disk',
    file: 'event-log/follow.ts',
    find: 'await options.beforeComplete?.()',
    replace: 'void options.beforeComplete?.().catch(() => undefined)',
  },
  {
    rule: 'lost tail',
    what: 'a checkpoint lacks what changed since it was opened',
    file: 'event-log/checkpoint.ts',
    find: 'state.onTouched = (key, before, after) => changes.touch(key, before, after)',
    replace:
      'state.onTouched = (key, before, after) => after === undefined && changes.touch(key, before, after)',
  },
  {
    rule: 'lost tail',
    what: 'the full state leaves out what only the adapter knows',
    file: 'adapter/batches.ts',
    find: 'this.#chunks(step, this.#state.all())',
    replace: 'this.#chunks(step, this.#state.changedAfter(-1))',
  },
  {
    rule: 'lost tail',
    what: 'streams go on as if nothing had happened when the log was read again',
    file: 'adapter/stream-session.ts',
    find: 'if (this.#restarts !== follower.restarts && name',
    replace: 'if (this.#restarts > follower.restarts && name',
  },
  {
    rule: 'lost tail',
    what: 'a later delta shortens what an enforcer kept',
    file: 'enforcer/discovery/snapshot.ts',
    find: 'kept.size > 0 ?',
    replace: 'kept.size < 0 ?',
  },
  {
    rule: 'lost tail',
    what: 'a full state restores what an enforcer kept',
    firstSeed: 3_000_650,
    file: 'enforcer/discovery/full-state.ts',
    find: 'else yield* this.#goOnKeeping(kept, expiredAt)',
    replace: '',
  },
  {
    rule: 'lost tail',
    what: 'tokens of before live longer than the log that was lost allowed',
    firstSeed: 3_001_230,
    file: 'enforcer/discovery/subscription.ts',
    find: 'if (rolledBack && snapshot.version >= 0) this.#lifetimes.keep(snapshot.lifetimes, takenAt)',
    replace: '',
  },
  {
    rule: 'complete',
    what: 'an adapter that reads its log again counts as complete meanwhile',
    file: 'event-log/follow.ts',
    find: '    complete = false\n    unreached = undefined\n',
    replace: '    unreached = undefined\n',
  },
  {
    rule: 'complete',
    what: 'an adapter is complete when it has read anything',
    file: 'event-log/follow.ts',
    find: 'if (position >= end) confirm(readAt)',
    replace: 'if (position >= Math.min(0, end)) confirm(readAt)',
  },
  {
    rule: 'complete',
    what: 'streams are answered while the adapter is not complete',
    file: 'adapter/stream-session.ts',
    find: '    if (!follower.complete) return\n',
    replace: '',
  },
  {
    rule: 'complete',
    what: 'an adapter that lags answers an enforcer that is ahead of it',
    file: 'adapter/stream-session.ts',
    find: 'else if (follower.confirmedAtMs > sinceMs)',
    replace: 'else if (sinceMs > Number.NEGATIVE_INFINITY)',
  },
  {
    rule: 'complete',
    what: 'an enforcer is ready before its state is complete',
    file: 'enforcer/discovery/subscription.ts',
    find: "if (!this.#complete) return ['no complete snapshot of the revocations yet']",
    replace: '',
  },
  {
    rule: 'resume',
    what: 'a resume with another digest is confirmed',
    file: 'revocation/digest-history.ts',
    find: "=== digest ? 'confirmed' : 'different'",
    replace: "!== -digest ? 'confirmed' : 'different'",
  },
  {
    rule: 'resume',
    what: 'a resume skips the entry after the version that it names',
    file: 'adapter/batches.ts',
    find: 'this.#state.changedAfter(version)',
    replace: 'this.#state.changedAfter(version + 1)',
  },
  {
    rule: 'resume',
    what: 'a full state forgets what it does not mention',
    file: 'enforcer/discovery/full-state.ts',
    find: 'this.#table.raise(...words)\n      this.#keptUntil = Math.max(this.#keptUntil, expiresAt)',
    replace: 'this.#keptUntil = Math.max(this.#keptUntil, expiresAt)',
  },
  {
    rule: 'resume',
    what: 'the table is swapped at the beginning of a full state',
    file: 'enforcer/discovery/subscription.ts',
    find: 'this.#filling = new FullState()',
    replace: 'this.#filling = new FullState()\n    this.#filling.swapInto(this.snapshot, false)',
  },
  {
    rule: 'resume',
    what: 'a log that lost its tail shortens what an enforcer holds',
    file: 'enforcer/discovery/full-state.ts',
    find: 'if (!rolledBack && this.#table.has(k0, k1, k2, k3)) return',
    replace: 'if (this.#table.has(k0, k1, k2, k3)) return',
  },
  {
    rule: 'resume',
    what: 'a full state forgets what has expired by a clock that is ahead for a moment',
    file: 'enforcer/discovery/snapshot.ts',
    find: 'Math.floor(nowSeconds) - toleranceSeconds - forgetGraceSeconds',
    replace: 'Math.floor(nowSeconds) - toleranceSeconds - 0 * forgetGraceSeconds',
  },
  {
    rule: 'resume',
    what: 'a full state does not tell what was restored',
    file: 'adapter/batches.ts',
    find: '      const leftovers = key.hasLeftovers\n',
    replace:
      "      if (step.kind === 'FULL_MORE' && (key as unknown as { entry: { expiresAt: number } }).entry.expiresAt === 0) continue\n      const leftovers = key.hasLeftovers\n",
  },
  {
    rule: 'resume',
    what: 'messages on the way to a version weaken what is enforced',
    file: 'enforcer/discovery/subscription.ts',
    find: 'this.#lowerings.strengthen(table, words)',
    replace: 'table.set(...words)',
  },
  {
    rule: 'resume',
    what: 'a revocation that was restored since passes for one that is still in force',
    file: 'revoker/publisher.ts',
    find: 'return follower.state.position >= end',
    replace: 'return follower.state.position >= Math.min(0, end)',
  },
  {
    rule: 'resume',
    what: 'a restoration is forgotten by the clock before all was read that it counts for',
    firstSeed: 5_000_860,
    file: 'event-log/follow.ts',
    find: 'state.pruneStep(expiredAt, pruneKeysPerStep, readUntil)',
    replace: 'state.pruneStep(expiredAt, pruneKeysPerStep, Math.max(expiredAt, readUntil))',
  },
  {
    rule: 'staleness',
    what: 'the adapter says that its knowledge of the log has no age',
    file: 'adapter/discovery.ts',
    find: 'Math.round(clock.monotonicMs() - follower.confirmedAtMs)',
    replace: 'Math.round(0 * follower.confirmedAtMs)',
  },
  {
    rule: 'staleness',
    what: 'the enforcer does not count the time since it was told',
    file: 'enforcer/discovery/subscription.ts',
    find: 'return this.#logAgeMs + nowMs - this.#receivedAtMs',
    replace: 'return this.#logAgeMs + 0 * (nowMs - this.#receivedAtMs)',
  },
  {
    rule: 'staleness',
    what: 'messages on the way to a version make the state look fresh',
    file: 'enforcer/discovery/subscription.ts',
    find: 'if (isCurrent) {',
    replace: 'if (isCurrent || batch.kind) {',
  },
  {
    rule: 'staleness',
    what: 'messages that were encoded long ago are sent to those who lag',
    file: 'adapter/batches.ts',
    find: 'return this.#settings.nowMs() - atMs > sharedForMs',
    replace: 'return this.#settings.nowMs() - atMs > sharedForMs * 1_000',
  },
  {
    rule: 'staleness',
    what: 'an end of the log that was reached late counts as read just now',
    file: 'event-log/follow.ts',
    find: 'confirm(unreached.readAt)',
    replace: 'confirm(momentOf(clock))',
  },
  {
    rule: 'claim sets',
    what: 'the claim sets of what was kept go out of use',
    file: 'enforcer/discovery/held-claim-sets.ts',
    find: 'isNeeded ? unionOfClaimSets(named, this.kept) : named',
    replace: 'isNeeded && named.length < 0 ? [] : named',
  },
  {
    rule: 'claim sets',
    what: 'claim sets go out of use before the version that says so is reached',
    file: 'enforcer/discovery/subscription.ts',
    find: 'unionOfClaimSets(snapshot.claimSets, needed)',
    replace: 'needed',
  },
  {
    rule: 'claim sets',
    what: 'claim sets that an adapter names are not looked up',
    file: 'enforcer/discovery/held-claim-sets.ts',
    find: '    return sets\n',
    replace: '    return this.received\n',
  },
  {
    rule: 'claim sets',
    what: 'the keys of known tokens are not derived again for other claim sets',
    file: 'enforcer/check/revoked.ts',
    find: 'if (cached.claimSets !== snapshot.claimSets) deriveKeys(cached, snapshot)',
    replace: 'if (cached.claimSets === undefined) deriveKeys(cached, snapshot)',
  },
  {
    rule: 'claim sets',
    what: 'what a former log declared is not looked up any more',
    file: 'revocation/claim-sets.ts',
    find: 'return this.admitted(set) !== undefined || this.#formerly.has(claimSetId(set))',
    replace: 'return this.admitted(set) !== undefined || this.#formerly.size < 0',
  },
  {
    rule: 'claim sets',
    what: 'claim sets are not told when they change',
    file: 'adapter/batches.ts',
    find: 'generation !== this.#announcedGeneration)]',
    replace: 'generation === 0)]',
  },
]
