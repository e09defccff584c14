/**
 * Redis servers that belong together: a master and a replica that sentinels watch, and a cluster.
 *
 * @module
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../services/command.ts'
import type { Child } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'
import { newRedisFolder, type RunningRedis, startRedis, startServer } from './redis.ts'

/** A master and its replica, watched by three sentinels. */
export interface SentinelGroup {
  readonly url: string
  readonly master: RunningRedis
  readonly replica: RunningRedis
  /** The port of the master by the first sentinel. */
  masterPort(): Promise<number>
  /** The sentinels name the replica, which is promoted; the master is told nothing and stays one. */
  moveUnseen(): Promise<void>
  stop(): Promise<void>
}

const masterName = 'revocations'

/** Starts the group and waits until its sentinels know each other and the replica. */
export async function startSentinelGroup(): Promise<SentinelGroup> {
  const master = await startRedis()
  const replica = await startRedis({ replicaOf: master.port })
  await until('the replica follows', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  )
  const folder = await newRedisFolder()
  const sentinels: { port: number; child: Child }[] = []
  for (let at = 0; at < 3; at += 1) sentinels.push(await startSentinel(folder, master.port))
  const ask = (port: number, ...args: readonly string[]) => cliAt(port, 'sentinel', ...args)
  for (const { port } of sentinels) {
    await until('the sentinel knows the others', async () => {
      const known = await ask(port, 'master', masterName)
      return /num-slaves\n1\nnum-other-sentinels\n2/.test(known)
    })
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${masterName}`,
    master,
    replica,
    masterPort: async () => {
      const address = await ask(sentinels[0]!.port, 'get-master-addr-by-name', masterName)
      return Number(address.split('\n')[1])
    },
    moveUnseen: async () => {
      for (const { port } of sentinels) await ask(port, 'remove', masterName)
      await replica.cli('replicaof', 'no', 'one')
      for (const { port } of sentinels)
        await ask(port, 'monitor', masterName, '127.0.0.1', `${replica.port}`, '2')
    },
    stop: async () => {
      for (const { child } of sentinels) await child.kill('SIGKILL')
      await Promise.all([master.stop(), replica.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startSentinel(folder: string, masterPort: number): Promise<{ port: number; child: Child }> {
  const port = await freePort()
  const file = join(folder, `${port}.conf`)
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 5000`,
  ]
  await writeFile(file, settings.join('\n'))
  return { port, child: await startServer([file, '--sentinel']) }
}

/** A cluster of masters. */
export interface RedisCluster {
  readonly url: string
  readonly nodes: readonly RunningRedis[]
  /** The node that holds the slot of a key. */
  masterOf(key: string): Promise<RunningRedis>
  stop(): Promise<void>
}

/** Starts a cluster of three masters and waits until all of them take commands. */
export async function startCluster(): Promise<RedisCluster> {
  const nodes: RunningRedis[] = []
  for (let at = 0; at < 3; at += 1) {
    const busPort = await freePort()
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      `${busPort}`,
      '--cluster-node-timeout',
      '2000',
    ]
    nodes.push(await startRedis({ args }))
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  await runCommand('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeoutMs: 60_000 })
  for (const node of nodes)
    await until('the node is part of it', async () =>
      (await node.cli('cluster', 'info')).includes('cluster_state:ok'),
    )
  return {
    url: `redis+cluster://${addresses.join(',')}`,
    nodes,
    masterOf: async key => {
      for (const node of nodes) {
        const asked = await node.cli('exists', key).catch((error: Error) => error.message)
        if (/^\d$/.test(asked)) return node
      }
      throw new Error(`nobody has ${key}`)
    },
    stop: async () => void (await Promise.all(nodes.map(node => node.stop()))),
  }
}

const cliAt = (port: number, ...args: readonly string[]): Promise<string> =>
  runCommand('redis-cli', ['-p', `${port}`, '-e', ...args], { timeoutMs: 30_000 })
