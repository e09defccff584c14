/**
 * Counts answers in plain numbers; they become metrics only when these are asked for, because labels cost more than the
 * decision that they count.
 *
 * @module
 */
import { Counter, type Registry } from 'prom-client'

/** What became of a check. */
export type Outcome = 'allow' | 'deny' | 'undecided'

/** Counts an answer: `allowed`, or why not; there are few different reasons. */
export type CountCheck = (outcome: Outcome, reason: string) => void

/** Registers the metric `rescind_enforcer_checks_total`. */
export function createCheckCounts(registry: Registry): CountCheck {
  const counts: Readonly<Record<Outcome, Map<string, number>>> = {
    allow: new Map(),
    deny: new Map(),
    undecided: new Map(),
  }
  new Counter({
    name: 'rescind_enforcer_checks_total',
    help: 'Checks by outcome and reason.',
    labelNames: ['outcome', 'reason'] as const,
    registers: [registry],
    collect() {
      this.reset()
      for (const [outcome, reasons] of Object.entries(counts))
        for (const [reason, count] of reasons) this.inc({ outcome, reason }, count)
    },
  })
  return (outcome, reason) => {
    const reasons = counts[outcome]
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
}
