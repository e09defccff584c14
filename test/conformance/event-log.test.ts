/** The drivers of the event log, each through the same suite. */
import { describe } from 'node:test'
import { createEmbeddedLogUnderTest } from '../support/embedded-log.ts'
import { createMemoryLogUnderTest } from '../support/memory-log.ts'
import { createRedisLogUnderTest } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'
import { testEventLog } from './event-log-suite.ts'

testEventLog('embedded', createEmbeddedLogUnderTest, { chainsDigests: true, beats: false })
testEventLog('in-memory', createMemoryLogUnderTest, { chainsDigests: true, beats: false })
describe('with Redis', requireService('redis'), () =>
  testEventLog('redis', createRedisLogUnderTest, { chainsDigests: true, beats: false }),
)
