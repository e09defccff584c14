/**
 * What a shared stack must survive without any loss: its adapter is cut off from the log, and the log's server is killed.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { until } from './condition.ts'
import { adapterAlarm } from './log-accident.ts'
import type { SharedStack } from './shared-stack.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import type { TokenRounds } from './token-rounds.ts'

/** What an adapter logs while it cannot reach its log. */
export const unreachableLine = 'the event log cannot be read'

const timeoutMs = 60_000
const revokedWhileCutOff = 1_000
/** Clients that revoke at the same time while a server is killed. */
const clients = 8

/** Cuts an adapter off until it says so, and gives it its way to the log back after 1,000 revocations. */
export async function surviveCutOff(stack: SharedStack, rounds: TokenRounds, way: TcpProxy): Promise<void> {
  const [adapter] = stack.adapters
  assert.ok(adapter)
  await rounds.revoke(10)
  await rounds.reached(stack.enforcers)
  const before = adapter.said(unreachableLine).length
  const alarms = alarmsOf(stack)
  await way.cut()
  await until('the adapter says so', () => adapter.said(unreachableLine).length > before, { timeoutMs })
  await rounds.revoke(revokedWhileCutOff)
  await way.restore()
  await rounds.reached(stack.enforcers)
  assert.equal(alarmsOf(stack), alarms)
}

/** Kills the log's server while revocations arrive, and starts it again: what was acknowledged is enforced. */
export async function surviveKill(
  stack: SharedStack,
  rounds: TokenRounds,
  server: { kill(signal: 'SIGKILL'): Promise<void>; startAgain(): Promise<void> },
): Promise<void> {
  const first = rounds.revoked.length
  const alarms = alarmsOf(stack)
  let isEnough = false
  const load = Promise.all(
    Array.from({ length: clients }, async () => {
      while (!isEnough) await rounds.tryRevoke()
    }),
  )
  // It is awaited when the server is back.
  load.catch(() => undefined)
  const acknowledged = (count: number) =>
    until('revocations are acknowledged', () => rounds.revoked.length >= count, { timeoutMs })
  try {
    await acknowledged(first + 100)
    await server.kill('SIGKILL')
    await server.startAgain()
    await acknowledged(rounds.revoked.length + 100)
  } finally {
    isEnough = true
    await load
  }
  await rounds.reached(stack.enforcers)
  assert.equal(alarmsOf(stack), alarms)
}

/** None comes with an outage. */
const alarmsOf = ({ adapters }: SharedStack): number =>
  adapters.reduce((sum, adapter) => sum + adapter.said(adapterAlarm).length, 0)
