/**
 * What a shared stack must survive: its log loses what was acknowledged and holds other entries then.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { until } from './condition.ts'
import type { SharedStack } from './shared-stack.ts'
import type { TcpProxy } from './tcp-proxy.ts'
import type { TokenRounds } from './token-rounds.ts'

/** One accident, and what surrounds it. */
export interface LogAccident {
  readonly stack: SharedStack
  readonly rounds: TokenRounds
  /** What happens to the log, new revocations included. */
  happen(): Promise<void>
  /** The adapter's way to the log, if it is cut while it happens. */
  readonly cutOff?: TcpProxy | undefined
  /** How adapters and enforcers end afterwards. */
  readonly signal: 'SIGTERM' | 'SIGKILL'
}

const timeoutMs = 60_000

/** What an adapter logs, as an error, when its log lost entries. */
export const adapterAlarm = 'THE EVENT LOG HAS LOST ENTRIES'
/** What an enforcer logs, as an error, when it was told so. */
export const enforcerAlarm = 'the event log had lost what this enforcer knew'

/**
 * Lets an accident happen, and fails unless everybody notices, nothing that was ever acknowledged is accepted at any
 * moment, and this stays so when first the adapter and then the enforcer restart.
 */
export async function surviveAccident(accident: LogAccident): Promise<void> {
  const { stack, rounds } = accident
  await rounds.reached(stack.enforcers)
  await rounds.watchedWhile(stack.enforcers, async () => {
    await happenAndBeNoticed(accident)
    await restartAll(accident)
  })
}

async function happenAndBeNoticed({ stack, rounds, happen, cutOff }: LogAccident): Promise<void> {
  const { adapters, enforcers } = stack
  const alarms = [
    ...adapters.map(adapter => ({ part: adapter, text: adapterAlarm })),
    ...enforcers.map(enforcer => ({ part: enforcer, text: enforcerAlarm })),
  ].map(({ part, text }) => ({ part, text, before: part.said(text).length }))
  await cutOff?.cut()
  await happen()
  await cutOff?.restore()
  for (const { part, text, before } of alarms) {
    await until(`it was logged: ${text}`, () => part.said(text).length > before, { timeoutMs })
    assert.equal(part.said(text).at(-1)?.level, 'error')
  }
  await rounds.reached(enforcers)
}

async function restartAll({ stack, rounds, signal }: LogAccident): Promise<void> {
  const { adapters, enforcers } = stack
  for (const adapter of adapters) {
    await adapter.end(signal)
    await adapter.startAgain()
  }
  await rounds.revoke(1)
  await rounds.reached(enforcers)
  for (const enforcer of enforcers) {
    await enforcer.end(signal)
    await enforcer.startAgain()
    // At once: it is ready, so it has everything.
    await rounds.check(enforcer)
  }
}
