/**
 * What somebody must hold, revocation by revocation, and what a watch over it is made of.
 *
 * @module
 */
import { type History, isAdmitted, type Known, type Stored } from './history.ts'
import type { LogCluster } from './log-cluster.ts'
import type { SimulatedToken } from './workload.ts'
import type { World } from './world.ts'

/** What those who watch know. */
export interface WatchOptions {
  readonly world: World
  readonly history: History
  readonly cluster: LogCluster
  readonly tokens: readonly SimulatedToken[]
}

/** Adds what an entry's log says to what must be held, and takes away what it restored. */
export function learn(held: Set<Known>, { knowledge }: Stored, said: readonly Known[], adds = true): void {
  if (adds) for (const one of said) if (isAdmitted(knowledge, one)) held.add(one)
  for (const one of held) if (knowledge.restored.has(one.revocation.id)) held.delete(one)
}

/** A revocation for people. */
export const textOf = ({ revocation: { match, issuedBefore, expiresAt }, storedAtMs }: Known): string =>
  `${JSON.stringify(match)} ${issuedBefore === undefined ? `until ${expiresAt}` : `cut at ${issuedBefore}`}, stored at ${(storedAtMs / 1_000).toFixed(3)} s`
