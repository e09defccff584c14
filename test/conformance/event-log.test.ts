/** The drivers of the event log, each through the same suite. */
import { createEmbeddedLogUnderTest } from '../support/embedded-log.ts'
import { createMemoryLogUnderTest } from '../support/memory-log.ts'
import { testEventLog } from './event-log-suite.ts'

testEventLog('embedded', createEmbeddedLogUnderTest, { chainsDigests: true, beats: false })
testEventLog('in-memory', createMemoryLogUnderTest, { chainsDigests: true, beats: false })
