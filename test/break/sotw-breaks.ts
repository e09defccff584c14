/**
 * Breaks of discovery as Choreo Connect speaks it, on both sides.
 *
 * @module
 */
import type { Break } from './break.ts'

const session = 'unit/sotw-session.test.ts'
const subscription = 'unit/sotw-subscription.test.ts'

/** Invariants 1 to 9, in their order. */
export const sotwBreaks: readonly Break[] = [
  {
    invariant: 1,
    what: 'a stream that lags past what is kept goes on with what is new',
    file: 'adapter/sotw-session.ts',
    find: "if (message === 'lost') {\n      begin()",
    replace: "if (message === 'lost') {\n      cursor = batches.full().cursor",
    testFile: session,
    testName: 'comes to a stream that lags past what is kept together with everything else',
  },
  {
    invariant: 1,
    what: 'a full set is read from the disk before everything that was applied is there',
    file: 'adapter/sotw-batches.ts',
    find: "while (!written.done) yield 'waiting'",
    replace: 'void written.done',
    testFile: session,
    testName: 'waits until what was applied is on disk',
  },
  {
    invariant: 1,
    what: 'a full set ends before its last step',
    file: 'adapter/sotw-batches.ts',
    find: 'slice.length < sliceTexts ?',
    replace: 'slice.length < 2 * sliceTexts ?',
    testFile: session,
    testName: 'misses nothing that is revoked between any two steps',
  },
  {
    invariant: 1,
    what: 'cursors outlive what nobody listened to',
    file: 'adapter/sotw-batches.ts',
    find: '      end += 1\n',
    replace: '',
    testFile: session,
    testName: 'comes also when nobody listened for a while',
  },
  {
    invariant: 1,
    what: 'a token that comes again with an earlier expiry is over then',
    file: 'enforcer/discovery/sotw-subscription.ts',
    find: 'snapshot.table.raise(',
    replace: 'snapshot.table.set(',
    testFile: subscription,
    testName: 'that come again with an earlier expiry, or none, are kept until the later one',
  },
  {
    invariant: 1,
    what: 'a token without expiry is over at once',
    file: 'enforcer/discovery/sotw-subscription.ts',
    find: 'saidSeconds > nowSeconds ? saidSeconds : secondsUp(nowSeconds + maxTokenLifetimeSeconds)',
    replace: 'saidSeconds',
    testFile: subscription,
    testName: 'whose expiry is missing are kept as long as a token can live',
  },
  {
    invariant: 3,
    what: 'an adapter that still reads its log sends what it has as if it were everything',
    file: 'adapter/sotw-session.ts',
    find: 'if (!follower.complete) return\n',
    replace: '',
    testFile: session,
    testName: 'an adapter that is not complete sends nothing to a stream that comes then',
  },
  {
    invariant: 5,
    what: 'a stream goes on as before when the state begins anew',
    file: 'adapter/sotw-session.ts',
    find: 'if (restarts !== follower.restarts) {',
    replace: 'if (restarts < 0) {',
    testFile: session,
    testName: 'lets streams wait, and then brings everything again',
  },
  {
    invariant: 7,
    what: 'a token that is not protobuf is an error that nobody expects',
    file: 'enforcer/discovery/sotw-response.ts',
    find: "throw invalidBatch('a RevokedToken is not valid protobuf')",
    replace: "throw new Error('not valid')",
    testFile: subscription,
    testName:
      'with a token that is not protobuf is refused with the last accepted version; the tokens beside it count',
  },
  {
    invariant: 7,
    what: 'a jti that is cut off is taken for a shorter one',
    file: 'enforcer/discovery/sotw-response.ts',
    find: 'while (reader.next(value.length)) reader.skip(value.length)',
    replace: 'void reader',
    testFile: subscription,
    testName:
      'with a jti that is cut off is refused with the last accepted version; the tokens beside it count',
  },
  {
    invariant: 8,
    what: 'calls that were over before they were handled take room for answers for ever',
    file: 'adapter/discovery-server.ts',
    find: '  interceptors: [liveCallsOnly],\n',
    replace: '',
    testFile: 'integration/choreo-connect.test.ts',
    testName: 'keeps no room for calls that were over before they could be answered',
  },
  {
    invariant: 9,
    what: 'tens of thousands of tokens in one message are stored in one step, while no check is answered',
    file: 'enforcer/discovery/sotw-subscription.ts',
    find: 'stored < sliceTokens',
    replace: 'stored < 100 * sliceTokens',
    testFile: subscription,
    testName: 'by the ten thousand in one message are stored in small steps, and ACKed after the last',
  },
]
