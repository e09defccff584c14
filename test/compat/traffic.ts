/**
 * Revocations at a rate, and who has learnt of them in the end.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { CompatClient, CompatWorld } from './world.ts'

/** How revocations are sent. */
export interface Sending {
  readonly count: number
  /** So many in a second; as fast as they are stored if not given. */
  readonly perSecond?: number | undefined
}

const tickMs = 5
const quietMs = 15_000
const pollMs = 100

let runs = 0

/** Names for tokens that nobody else gives. */
export const newTokens = (count: number): string[] => {
  runs += 1
  return Array.from({ length: count }, (_, index) => `token-${runs}-${index}`)
}

/** Revokes tokens in their order; at a rate those that are due are stored together, as a busy revoker does. */
export async function send(world: CompatWorld, jtis: readonly string[], perSecond?: number): Promise<void> {
  if (perSecond === undefined) return world.revoke(jtis)
  const beganAtMs = performance.now()
  let sent = 0
  while (sent < jtis.length) {
    const due = Math.min(jtis.length, Math.ceil(((performance.now() - beganAtMs) / 1_000) * perSecond))
    if (due > sent) await world.revoke(jtis.slice(sent, due))
    sent = Math.max(sent, due)
    await pause(tickMs)
  }
}

/** How many of the tokens a client has not learnt of, when it has them all or has learnt of nothing for 15 seconds. */
export async function missedBy(client: CompatClient, jtis: readonly string[]): Promise<number> {
  let missed = jtis.length + 1
  let lastProgressMs = performance.now()
  for (;;) {
    const now = jtis.filter(jti => !client.has(jti)).length
    if (now === 0) return 0
    if (now < missed) lastProgressMs = performance.now()
    missed = now
    if (performance.now() - lastProgressMs > quietMs) return missed
    await pause(pollMs)
  }
}
