/**
 * An enforcer's own limits: what its adapter says must not be stricter or more.
 *
 * @module
 */
import type { Snapshot } from './snapshot.ts'

/** Limits of the enforcer's own configuration. */
export interface OwnLimits {
  /** Own clock tolerance, seconds; above the adapter's the enforcer does not become ready. Default: the adapter's. */
  readonly clockToleranceSeconds?: number | undefined
  /** Own longest token lifetime, seconds; the same holds for it. */
  readonly maxTokenLifetimeSeconds?: number | undefined
  /** Entries beyond which the enforcer is not ready. */
  readonly revocationsLimit: number
}

/** Why checks cannot be answered by a snapshot; empty if they can. */
export function limitProblems(
  { toleranceSeconds, lifetimes, table }: Snapshot,
  { clockToleranceSeconds = 0, maxTokenLifetimeSeconds = 0, revocationsLimit }: OwnLimits,
): string[] {
  const reasons: string[] = []
  if (clockToleranceSeconds > toleranceSeconds) {
    reasons.push(`enforcer.clockTolerance is above the adapter's ${toleranceSeconds} s`)
  }
  if (maxTokenLifetimeSeconds > lifetimes.seconds) {
    reasons.push(`enforcer.maxTokenLifetime is above the log's ${lifetimes.seconds} s`)
  }
  if (table.size > revocationsLimit) {
    reasons.push(`enforcer.maxRevocations (${revocationsLimit}) is passed: ${table.size}`)
  }
  return reasons
}
