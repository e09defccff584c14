/**
 * Starts real Redis servers on 127.0.0.1, alone and as replicas.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findService } from '../services/catalogue.ts'
import { runCommand } from '../services/command.ts'
import { type Child, startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'

/** What a Redis for a test is to look like. */
export interface RedisOptions {
  /** `none` (default) keeps nothing over a restart; else an append-only file, flushed so often. */
  readonly persistence?: 'none' | 'everysec' | 'always'
  /** The port of the master on 127.0.0.1. */
  readonly replicaOf?: number
  /** More settings, as on the command line: `['--maxmemory', '4mb']`. */
  readonly args?: readonly string[]
  /** Where it listens; a free port if not given. */
  readonly port?: number
  /** Says that `port` is to be set by `args` (TLS), and how redis-cli gets in. */
  readonly cliArgs?: readonly string[]
}

/** A running Redis. */
export interface RunningRedis {
  readonly port: number
  readonly url: string
  /** Where its files are. */
  readonly folder: string
  output(): string
  /** Runs redis-cli and gives what it prints; throws when that is an error. */
  cli(...args: readonly string[]): Promise<string>
  /** Sends the signal; SIGKILL and SIGTERM resolve when it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, on the same port and files. */
  startAgain(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

/** A new folder for the files of a server. */
export const newRedisFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'rescind-redis-'))

/** Starts a server and waits until it takes commands. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const port = options.port ?? (await freePort())
  const folder = await newRedisFolder()
  const cli = async (...args: readonly string[]): Promise<string> => {
    const output = await runCommand(
      'redis-cli',
      ['-p', `${port}`, '-e', ...(options.cliArgs ?? []), ...args],
      {
        timeoutMs: 30_000,
      },
    )
    return output.trim()
  }
  const isReady = async () =>
    (await cli('ping')) === 'PONG' && !(await cli('info', 'persistence')).includes('loading:1')
  let child: Child
  const start = async () => {
    child = await startServer([...settingsOf(options, port), '--dir', folder])
    await until('Redis takes commands', isReady, {
      giveUp: () => (child.exitCode === undefined ? undefined : `it ended: ${child.output()}`),
    })
  }
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    output: () => child.output(),
    cli,
    kill: async signal => {
      if (signal === 'SIGKILL' || signal === 'SIGTERM') return child.kill(signal)
      process.kill(child.pid, signal)
    },
    startAgain: start,
    stop: async () => {
      // A stopped process (SIGSTOP) would not end by anything else.
      await child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts `redis-server` with these arguments; for servers that are not plain ones. */
export async function startServer(args: readonly string[]): Promise<Child> {
  const binary = findService('redis')
  if (binary === undefined) throw new Error('Redis is missing here: npm run services -- redis')
  return startChild(binary, args)
}

function settingsOf(options: RedisOptions, port: number): string[] {
  const { persistence = 'none', replicaOf, args = [], cliArgs } = options
  const aof = persistence === 'none' ? ['no'] : ['yes', '--appendfsync', persistence]
  return [
    ...(cliArgs === undefined ? ['--port', `${port}`] : []),
    ...['--bind', '127.0.0.1', '--save', '', '--appendonly', ...aof],
    ...(replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', `${replicaOf}`]),
    ...['--repl-diskless-sync-delay', '0', '--repl-timeout', '5'],
    ...args,
  ]
}
