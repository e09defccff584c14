/**
 * What always holds, whatever happens; each with tests that fail when it does not, and breaks that prove that.
 *
 * @module
 */

/** The invariants by their number. */
export const invariants: Readonly<Record<number, string>> = {
  1: 'No revocation that was acknowledged is lost, until it expires, whatever restarts in whatever order.',
  2: 'Order, duplicates and replays of revocations and restorations do not change what is decided.',
  3: 'Nobody is ready, or answers, before its state is complete; and not to decide is not to reject.',
  4: 'The decision on revocation is never remembered across versions.',
  5: 'A resync replaces the table at once, and forgets nothing that is still in force.',
  6: 'Nothing unauthenticated is appended, nobody revokes what is not theirs, no token or secret is logged.',
  7: 'Bad input gets a clear error; no process ends because of it.',
  8: 'Memory is bounded: caches, queues, state of streams, sizes of requests.',
  9: 'Whatever the adapter does, an enforcer with a snapshot goes on deciding; how stale it is can be seen.',
  10: 'A log that lost its tail is noticed; nobody resumes across that, and nothing enforced comes back to life.',
  11: 'A token that differs only in its encoding gets the same decision.',
  12: 'No answer to Envoy is an accidental allow.',
}
