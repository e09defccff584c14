/**
 * One enforcer that refuses everything and one that says a number where a name belongs: others must not notice.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { startChoreoConnectEnforcer } from '../support/choreo-connect-enforcer.ts'
import { until } from '../support/condition.ts'
import { missedBy, newTokens, send } from './traffic.ts'
import { startCompatWorld, startSotwClient } from './world.ts'

/** What became of them and of the one beside them. */
export interface Bystanding {
  readonly sent: number
  /** By an enforcer that behaves. */
  readonly missed: number
  /** Messages to the one that refuses them all. */
  readonly pushesToRefuser: number
  /** As many as back-off allows. */
  readonly pushesLimit: number
  /** The status with which a stream ended whose instanceIdentifier is a number. */
  readonly numericInstanceEndedWith: string
}

/** Revokes for a while, or until the one that refuses was tried twice. */
export async function runBystanders(size: 'full' | 'quick'): Promise<Bystanding> {
  const world = await startCompatWorld('embedded')
  const good = await startSotwClient(world.port)
  const refuser = startChoreoConnectEnforcer(world.port, { refuses: true })
  const numeric = startChoreoConnectEnforcer(world.port, { instance: { numberValue: 42 } })
  try {
    const jtis = newTokens(size === 'full' ? 1_000 : 200)
    await until('the number is refused', () => numeric.ends.length > 0)
    await send(world, jtis, size === 'full' ? 100 : undefined)
    await until('the one that refuses was tried again', () => refuser.pushes > 1)
    // Long enough for thousands, if there were no back-off.
    if (size === 'full') await pause(5_000)
    return {
      sent: jtis.length,
      missed: await missedBy(good, jtis),
      pushesToRefuser: refuser.pushes,
      // A second, doubling, less up to a half; each time what is live in one message, and what came meanwhile.
      pushesLimit: size === 'full' ? 20 : 6,
      numericInstanceEndedWith: status[numeric.ends[0]?.code ?? status.OK] ?? '',
    }
  } finally {
    for (const enforcer of [good.enforcer, refuser, numeric]) enforcer.close()
    await world.stop()
  }
}
