/**
 * The situations in which the adapter that Choreo Connect ships lets its enforcers miss revocations: here nobody may.
 *
 * @module
 */
import { until } from '../support/condition.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { missedBy, newTokens, type Sending, send } from './traffic.ts'
import {
  type CompatClient,
  type CompatLog,
  type CompatWorld,
  startCompatWorld,
  startDeltaClient,
  startSotwClient,
} from './world.ts'

/** What is asked of a situation. */
export interface Row {
  readonly name: string
  readonly log: CompatLog
  /** As it was measured; tests send less, and do not wait. */
  readonly full: Sending
  readonly quick: Sending
  run(stage: Stage, sending: Sending): Promise<readonly string[]>
}

/** What became of it: how many revocations each kind of client never learnt of. */
export interface RowResult {
  readonly row: string
  readonly sent: number
  readonly missedSotw: number
  readonly missedDelta: number
}

/** Where a situation takes place. */
export interface Stage {
  readonly world: CompatWorld
  /** Starts a client of each protocol, through a network that delays what they send. */
  startClients(upDelayMs?: number): Promise<void>
  /** The ways of the clients to the adapter. */
  readonly ways: readonly TcpProxy[]
  /** Whether all clients know all of these. */
  allHave(jtis: readonly string[]): boolean
}

/** Waiting times of a reconnect that are quick; those of the shipped enforcer are 1 s and 15 s. */
export const quickRetries = { firstRetryMs: 50, laterRetryMs: 200 }

const connected = async ({ world, startClients }: Stage, { count, perSecond }: Sending) => {
  await startClients()
  const jtis = newTokens(count)
  await send(world, jtis, perSecond)
  return jtis
}

const delayed =
  (upDelayMs: number): Row['run'] =>
  async ({ world, startClients }, { count, perSecond }) => {
    await startClients(upDelayMs)
    const jtis = newTokens(count)
    await send(world, jtis, perSecond)
    return jtis
  }

/** Each part of the revocations is sent while the clients are cut off for a half of the time. */
const reconnecting = async (stage: Stage, { count, perSecond }: Sending) => {
  await stage.startClients()
  const jtis = newTokens(count)
  const size = Math.ceil(count / reconnects / 2)
  for (let at = 0; at < count; at += 2 * size) {
    for (const way of stage.ways) await way.cut()
    await send(stage.world, jtis.slice(at, at + size), perSecond)
    for (const way of stage.ways) await way.restore()
    await send(stage.world, jtis.slice(at + size, at + 2 * size), perSecond)
  }
  return jtis
}
const reconnects = 20

const startingLate = async ({ world, startClients }: Stage, { count, perSecond }: Sending) => {
  const jtis = newTokens(count)
  await send(world, jtis, perSecond)
  await startClients()
  return jtis
}

/** A third before the kill, a third while nobody is there, a third afterwards. */
const restarting = async ({ world, startClients }: Stage, { count, perSecond }: Sending) => {
  await startClients()
  const jtis = newTokens(count)
  const third = Math.ceil(count / 3)
  await send(world, jtis.slice(0, third), perSecond)
  await world.kill()
  await send(world, jtis.slice(third, 2 * third), perSecond)
  await world.startAgain()
  await send(world, jtis.slice(2 * third), perSecond)
  return jtis
}

/** Cut for 300 of 2,000 revocations: three seconds at 100 a second. */
const cutOff = async ({ world, startClients, allHave }: Stage, { count, perSecond }: Sending) => {
  await startClients()
  const jtis = newTokens(count)
  const from = Math.floor(count * 0.4)
  const to = Math.floor(count * 0.55)
  await send(world, jtis.slice(0, from), perSecond)
  await until('the first part is there', () => allHave(jtis.slice(0, from)))
  await world.cutLog()
  await send(world, jtis.slice(from, to), perSecond)
  await world.restoreLog()
  await send(world, jtis.slice(to), perSecond)
  return jtis
}

/** Everything at once to clients that are there, and then to those that come new. */
const refilled = async (stage: Stage, sending: Sending) => {
  const jtis = await connected(stage, sending)
  await stage.startClients()
  return jtis
}

/** The rows, in the order of the table that was measured. */
export const rows: readonly Row[] = [
  {
    name: 'connected all the time, 100/s',
    log: 'embedded',
    full: { count: 10_000, perSecond: 100 },
    quick: { count: 200 },
    run: connected,
  },
  {
    name: 'connected all the time, 1,000/s',
    log: 'embedded',
    full: { count: 10_000, perSecond: 1_000 },
    quick: { count: 2_000 },
    run: connected,
  },
  {
    name: '1,000 at once',
    log: 'embedded',
    full: { count: 1_000 },
    quick: { count: 1_000 },
    run: connected,
  },
  {
    name: '100/s, ACK takes 10 ms',
    log: 'embedded',
    full: { count: 2_000, perSecond: 100 },
    quick: { count: 500 },
    run: delayed(10),
  },
  {
    name: '100/s, ACK takes 50 ms',
    log: 'embedded',
    full: { count: 2_000, perSecond: 100 },
    quick: { count: 500 },
    run: delayed(50),
  },
  {
    name: '20 reconnects, 100/s',
    log: 'embedded',
    full: { count: 4_000, perSecond: 100 },
    quick: { count: 400 },
    run: reconnecting,
  },
  {
    name: 'enforcer starts after the revocations',
    log: 'embedded',
    full: { count: 1_000 },
    quick: { count: 1_000 },
    run: startingLate,
  },
  {
    name: 'adapter killed and restarted',
    log: 'redis',
    full: { count: 1_000, perSecond: 100 },
    quick: { count: 300 },
    run: restarting,
  },
  {
    name: 'log connection cut for 3 s, 100/s',
    log: 'redis',
    full: { count: 2_000, perSecond: 100 },
    quick: { count: 300 },
    run: cutOff,
  },
  {
    name: 'refill of 40,000 tokens',
    log: 'embedded',
    full: { count: 40_000 },
    quick: { count: 40_000 },
    run: refilled,
  },
]

/** Sets the stage for a row, runs it, and tells what was missed. */
export async function runRow(row: Row, size: 'full' | 'quick'): Promise<RowResult> {
  const world = await startCompatWorld(row.log)
  const ways: TcpProxy[] = []
  const clients: CompatClient[] = []
  const startClients = async (upDelayMs = 0) => {
    const way = await startTcpProxy(world.port, { upDelayMs })
    const other = await startTcpProxy(world.port, { upDelayMs })
    ways.push(way, other)
    clients.push(await startSotwClient(way.port, size === 'full' ? {} : quickRetries))
    clients.push(await startDeltaClient(other.port))
  }
  const allHave = (jtis: readonly string[]) => jtis.every(jti => clients.every(client => client.has(jti)))
  try {
    const jtis = await row.run({ world, startClients, ways, allHave }, row[size])
    const missed = await Promise.all(clients.map(client => missedBy(client, jtis)))
    const ofProtocol = (protocol: CompatClient['protocol']) =>
      missed.reduce((sum, count, index) => sum + (clients[index]?.protocol === protocol ? count : 0), 0)
    return {
      row: row.name,
      sent: jtis.length,
      missedSotw: ofProtocol('sotw'),
      missedDelta: ofProtocol('delta'),
    }
  } finally {
    for (const client of clients) await client.close()
    for (const way of ways) await way.stop()
    await world.stop()
  }
}
