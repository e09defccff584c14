/**
 * Breaks of the logs that several processes share, and of what must happen when one of them loses its tail.
 *
 * @module
 */
import type { Break } from './break.ts'

/** Invariants 1, 3, 7, 8 and 10, in their order. */
export const logBreaks: readonly Break[] = [
  {
    invariant: 1,
    what: 'an append to Redis is acknowledged although too few replicas have it',
    file: 'event-log/redis/write-groups.ts',
    find: 'if (replicated.value < waitReplicas) throw',
    replace: 'if (replicated.value < 0) throw',
    testFile: 'integration/redis-replicas.test.ts',
    testName: 'does not acknowledge what too few replicas have, and says so at the start',
    needs: ['redis'],
  },
  {
    invariant: 1,
    what: 'Redis is appended to where positions are no longer exact integers',
    file: 'event-log/redis/scripts.ts',
    find: 'if position > 9007199254740991 - (#ARGV - 1) then',
    replace: 'if position < 0 then',
    testFile: 'integration/redis-foreign-entries.test.ts',
    testName: 'stores nothing after an id beyond 2^53-1, says what to do, and goes on when that was done',
    needs: ['redis'],
  },
  {
    invariant: 1,
    what: 'a reader passes over what took the place of a foreign entry',
    file: 'event-log/redis/read-stream.ts',
    find: '  place.cursor = idOf(place.last.position)\n',
    replace: '',
    testFile: 'integration/redis-foreign-entries.test.ts',
    testName: 'a reader reads also what took the place of a foreign entry that it had passed over',
    needs: ['redis'],
  },
  {
    invariant: 1,
    what: 'Kafka takes an append for the repetition of one that got no answer',
    file: 'event-log/kafka/writer.ts',
    find: '      discard()\n      throw writeError(topic, error)',
    replace: '      throw writeError(topic, error)',
    testFile: 'integration/kafka-log-outage.test.ts',
    testName: 'does not take an append for a repetition of one that got no answer',
    needs: ['kafka'],
  },
  {
    invariant: 1,
    what: 'trimming forgets what is still needed',
    file: 'revoker/log-trimming.ts',
    find: 'old.filter(entry => isNeeded(options, entry))',
    replace: 'old.filter(entry => isNeeded(options, entry) && entry.position < 0)',
    testFile: 'unit/log-trimming.test.ts',
    testName: 'a state that is read from a trimmed log decides as one that read it all',
  },
  {
    invariant: 1,
    what: 'a checkpoint lacks the keys that changed since it was opened',
    file: 'event-log/checkpoint.ts',
    find: 'state.onTouched = (key, live) => changes.touch(key, live)',
    replace: 'state.onTouched = (key, live) => live === undefined && changes.touch(key, live)',
    testFile: 'integration/checkpoint.test.ts',
    testName: 'after a restart the log is read on where it was',
  },
  {
    invariant: 1,
    what: 'a newer adapter goes on after events that an older one did not understand',
    file: 'event-log/checkpoint.ts',
    find: 'unknownTypes.some(type => known.has(type))',
    replace: 'unknownTypes.some(type => known.has(type) && type.length === 0)',
    testFile: 'integration/checkpoint.test.ts',
    testName: 'a version that knows more types of events reads the log again from its start',
  },
  {
    invariant: 3,
    what: 'an adapter that lags does not wait until it knows more before it answers an enforcer that is ahead of it',
    file: 'adapter/stream-session.ts',
    find: 'else if (follower.confirmedAtMs > sinceMs)',
    replace: 'else if (sinceMs > Number.NEGATIVE_INFINITY)',
    testFile: 'unit/discovery-resume.test.ts',
    testName: 'ahead of the adapter is held, and goes on as a resume when the adapter has caught up',
  },
  {
    invariant: 7,
    what: 'an entry that others added to the stream stops its readers',
    file: 'event-log/redis/stream-item.ts',
    find: "if (own === undefined) return { kind: 'foreign', id, problem: 'it has not the fields of an event' }",
    replace: "if (own === undefined) throw new Error('it has not the fields of an event')",
    testFile: 'unit/redis-stream-item.test.ts',
    testName: 'an entry with other fields, other digests or another sequence is foreign',
  },
  {
    invariant: 8,
    what: 'every entry that others added to the stream is remembered',
    file: 'event-log/redis/foreign-entries.ts',
    find: 'if (told.size < rememberedLimit) break',
    replace: 'if (told.size < rememberedLimit * 1_000) break',
    testFile: 'unit/redis-stream-item.test.ts',
    testName: 'a foreign entry is told of once, however often it is read, and few of them are remembered',
  },
]
