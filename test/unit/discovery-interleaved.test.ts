/** Whatever happens between any two messages: what the log revoked up to a version, an enforcer at it rejects. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import {
  type AdapterSide,
  type Clock,
  connect,
  createAdapterSide,
  createEnforcerSide,
  enforces,
  type Link,
  spoil,
} from '../support/discovery.ts'
import { modelRejects } from '../support/revocation-model.ts'
import {
  anyRevocation,
  anyToken,
  declarations,
  expiryOf,
  restore,
  type SomeToken,
} from '../support/revocations.ts'

/** Wall clock of the whole test: some revocations have expired by then. */
const nowSeconds = 300

/** Steps; `adapter` is one of two that follow the same log. */
type Step =
  | { readonly do: 'append'; readonly event: LogEvent }
  | { readonly do: 'follow' | 'connect'; readonly adapter: 0 | 1 }
  | { readonly do: 'flush' | 'prune'; readonly adapter: 0 | 1 }
  | { readonly do: 'write' | 'read' | 'answer' | 'tick' | 'cut' | 'spoil' }

const adapter = fc.constantFrom<0 | 1>(0, 1)

const moves: Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('follow' as const, 'flush' as const), adapter }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('connect' as const, 'prune' as const), adapter }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'write' as const, 'read' as const, 'answer' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'cut' as const) }) },
)

const restoration = (revocations: readonly Revocation[], target: Revocation): LogEvent =>
  restore(target, Math.max(...revocations.filter(({ id }) => id === target.id).map(other => expiryOf(other))))

/** The same, and messages that arrive spoilt. */
const roughMoves: Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: moves },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'spoil' }) },
)

/** Appends of revocations and some restorations, in any order, between other steps. */
const someSteps = (others: Arbitrary<Step>): Arbitrary<readonly Step[]> =>
  fc
    .array(anyRevocation, { minLength: 5, maxLength: 25 })
    .chain(revocations =>
      fc.tuple(
        fc
          .subarray(revocations)
          .map(targets => [...revocations, ...targets.map(target => restoration(revocations, target))])
          .chain(events => fc.shuffledSubarray(events, { minLength: events.length })),
        fc.array(others, { minLength: 40, maxLength: 150 }),
        fc.array(fc.nat(), { minLength: 50, maxLength: 50 }),
      ),
    )
    .map(([events, others, places]) => {
      const steps: Step[] = [...others]
      for (const [index, event] of events.entries()) {
        steps.splice((places[index] as number) % (steps.length + 1), 0, { do: 'append', event })
      }
      return steps
    })

/** One log, two adapters, one enforcer. */
class World {
  readonly clock: Clock = { ms: 0, seconds: nowSeconds }
  readonly log: LogEvent[] = [...declarations]
  readonly adapters = [this.#adapter(), this.#adapter()] as const
  readonly enforcer = createEnforcerSide()
  readonly tokens: readonly SomeToken[]
  /** What the model rejects after each number of entries, by token. */
  readonly expected: boolean[][] = []
  link: Link

  constructor(tokens: readonly SomeToken[]) {
    this.tokens = tokens
    this.link = connect(this.clock, this.adapters[0], this.enforcer)
    this.expected[this.log.length] = this.#model()
  }

  step(step: Step): void {
    switch (step.do) {
      case 'append':
        this.log.push(step.event)
        this.expected.push(this.#model())
        return
      case 'follow':
        this.follow(this.adapters[step.adapter], 2)
        return
      case 'connect':
        this.link = connect(this.clock, this.adapters[step.adapter], this.enforcer)
        return
      case 'flush':
        this.adapters[step.adapter].flush()
        return
      case 'prune':
        this.adapters[step.adapter].prune(nowSeconds)
        return
      case 'tick':
        this.tick()
        return
      case 'spoil':
        if (this.link.down[0] !== undefined) this.link.down[0] = spoil(this.link.down[0])
        return
      case 'cut':
        this.link = connect(this.clock, this.adapters[0], this.enforcer)
        return
      default:
        this.link[step.do]()
    }
  }

  /** Lets an adapter read entries of the log. */
  follow(one: AdapterSide, limit: number): void {
    one.append(...this.log.slice(one.events.length, one.events.length + limit))
  }

  /** A second passes; an adapter that has reached the end of the log confirms it. */
  tick(): void {
    this.clock.ms += 1_001
    for (const one of this.adapters) {
      if (one.events.length === this.log.length) one.confirmedAtMs = this.clock.ms
    }
  }

  /** Tokens that the log rejects at the enforcer's version and at every one since, and that the enforcer accepts. */
  lost(): readonly SomeToken[] {
    if (this.enforcer.notReadyReasons().length > 0) return []
    const since = this.expected.slice(this.enforcer.snapshot.version)
    return this.tokens.filter(
      (token, index) =>
        since.every(decisions => decisions[index] === true) && !enforces(this.enforcer, token, nowSeconds),
    )
  }

  #adapter(): AdapterSide {
    const one = createAdapterSide(this.clock, { entriesPerMessage: 2, sharedBytesLimit: 2_000 })
    one.append(...this.log)
    return one
  }

  #model(): boolean[] {
    return this.tokens.map(token => modelRejects(this.log, token, nowSeconds))
  }
}

test('an enforcer at a version rejects all that is revoked at it, whatever is changed while messages are under way', () => {
  let checked = 0
  fc.assert(
    fc.property(
      someSteps(roughMoves),
      fc.array(anyToken, { minLength: 10, maxLength: 20 }),
      (steps, tokens) => {
        const world = new World(tokens)
        for (const step of steps) {
          world.step(step)
          assert.deepEqual(world.lost(), [])
          checked++
        }
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(checked > 5_000)
})

test('when all that was under way has arrived, the enforcer rejects exactly what is revoked, and no batch was refused', () => {
  let rejected = 0
  fc.assert(
    fc.property(someSteps(moves), fc.array(anyToken, { minLength: 10, maxLength: 20 }), (steps, tokens) => {
      const world = new World(tokens)
      for (const step of steps) world.step(step)
      for (const one of world.adapters) {
        world.follow(one, world.log.length)
        one.flush()
      }
      world.tick()
      world.link.settle()
      assert.equal(world.link.session.status.nackError, undefined)
      assert.equal(world.enforcer.snapshot.version, world.log.length)
      const decisions = tokens.map(token => enforces(world.enforcer, token, nowSeconds))
      assert.deepEqual(decisions, world.expected.at(-1))
      rejected += decisions.filter(Boolean).length
    }),
    { numRuns: 150 },
  )
  assert.ok(rejected > 100)
})
