/**
 * A JWKS source over a real HTTP server and a clock by hand, made anew for each test of a `describe`.
 *
 * @module
 */
import { afterEach, before, beforeEach } from 'node:test'
import { createJwksSource, type JwksSource, type JwksSourceOptions } from '../../token/jwks-source.ts'
import { until } from './condition.ts'
import {
  createKeptLog,
  createManualTiming,
  generatePair,
  type KeptLog,
  type KeyServer,
  type ManualTiming,
  type SigningPair,
  startKeyServer,
} from './token-issuer.ts'

/** What a test finds. */
export interface SourceFixture {
  server: KeyServer
  timing: ManualTiming
  log: KeptLog
  source: JwksSource
  /** Two key pairs; nothing is published at first. */
  one: SigningPair
  two: SigningPair
  /** Creates the source; jitter is always in the middle unless options say otherwise. */
  start(options?: Partial<JwksSourceOptions>): JwksSource
  /** Waits until so many loads have ended, whatever their outcome. */
  settled(count: number): Promise<unknown>
  /** Moves the clock to a time, waiting for each load that falls due on the way. */
  advanceTo(untilMs: number): Promise<void>
  /** The kids of the keys at hand. */
  kids(): string[]
  /** The messages logged at a level. */
  messages(level: string): string[]
}

/** Registers the hooks of the fixture with the `describe` that calls it. */
export function useSource(): SourceFixture {
  const fixture = {
    start(options = {}) {
      const { server, log: logger, timing } = fixture
      const settings = { issuer: server.origin, jwksUri: `${server.origin}/jwks`, random: () => 0.5 }
      fixture.source = createJwksSource({ ...settings, logger, timing, ...options })
      return fixture.source
    },
    settled: count => until(`${count} loads have ended`, () => loads() === count),
    async advanceTo(untilMs) {
      const { timing } = fixture
      while (timing.steadyNowMs() < untilMs) {
        const dueMs = timing.pendingDelaysMs()[0] as number
        const next = loads() + 1
        const stepMs = Math.min(dueMs, untilMs - timing.steadyNowMs())
        timing.advance(stepMs)
        if (stepMs === dueMs) await fixture.settled(next)
      }
    },
    kids: () => [...(fixture.source.keySet()?.keys ?? [])].map(key => key.kid),
    messages: level => fixture.log.lines.filter(line => line.level === level).map(line => line.message),
  } as SourceFixture

  function loads(): number {
    const { successCount, failureCount } = fixture.source.status()
    return successCount + failureCount
  }

  before(async () => {
    fixture.one = await generatePair('ES256', 'one')
    fixture.two = await generatePair('ES256', 'two')
  })
  beforeEach(async () => {
    fixture.server = await startKeyServer()
    fixture.timing = createManualTiming()
    fixture.log = createKeptLog()
  })
  afterEach(async () => {
    ;(fixture.source as JwksSource | undefined)?.close()
    await fixture.server.close()
  })
  return fixture
}
