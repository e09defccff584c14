/**
 * Looks at how durable a Redis is and warns of what it could lose.
 *
 * @module
 */
import type { Redis } from 'ioredis'
import type { Logger } from '../../runtime/logger.ts'
import { isRefusal } from './refusal.ts'

/** What is looked at. */
export interface DurabilityOptions {
  readonly client: Redis
  readonly waitReplicas: number
  readonly logger: Logger
}

const settings = ['appendonly', 'appendfsync', 'maxmemory-policy'] as const
type Settings = Readonly<Record<(typeof settings)[number], string>>

/** Warns of settings that can lose revocations, and of those that cannot be read. Never fails. */
export async function warnAboutDurability({
  client,
  waitReplicas,
  logger,
}: DurabilityOptions): Promise<void> {
  const problems = [configProblems(client), replicationProblems(client, waitReplicas)]
  for (const problem of (await Promise.all(problems)).flat()) {
    logger.warn({ setting: problem.setting }, `eventLog.redis: ${problem.message}`)
  }
}

interface Problem {
  readonly setting: string
  readonly message: string
}

async function configProblems(client: Redis): Promise<Problem[]> {
  try {
    const values = await Promise.all(settings.map(async name => [name, await readSetting(client, name)]))
    return [
      ...persistenceProblems(Object.fromEntries(values)),
      ...evictionProblems(Object.fromEntries(values)),
    ]
  } catch (error) {
    return unreadable(
      error,
      settings.join(', '),
      'CONFIG GET is refused, so it cannot be checked that Redis keeps what it acknowledged; it should have appendonly yes, appendfsync always and maxmemory-policy noeviction',
    )
  }
}

async function readSetting(client: Redis, name: string): Promise<string> {
  const [, value] = (await client.config('GET', name)) as string[]
  return value ?? ''
}

function persistenceProblems(values: Settings): Problem[] {
  if (values.appendonly !== 'yes') {
    return [
      {
        setting: 'appendonly',
        message:
          'appendonly is off: when Redis stops unexpectedly, all revocations since its last snapshot are lost; set appendonly yes and appendfsync always',
      },
    ]
  }
  if (values.appendfsync === 'always') return []
  const lost = values.appendfsync === 'everysec' ? 'of up to a second' : 'of half a minute and more'
  return [
    {
      setting: 'appendfsync',
      message: `appendfsync is ${values.appendfsync}: when the machine stops unexpectedly, acknowledged revocations ${lost} are lost; set appendfsync always`,
    },
  ]
}

function evictionProblems(values: Settings): Problem[] {
  const policy = values['maxmemory-policy']
  if (policy === 'noeviction') return []
  return [
    {
      setting: 'maxmemory-policy',
      message: `maxmemory-policy is ${policy}: when memory runs out, Redis may remove the log with all revocations; set maxmemory-policy noeviction`,
    },
  ]
}

async function replicationProblems(client: Redis, waitReplicas: number): Promise<Problem[]> {
  try {
    const info = await client.info('replication')
    const connected = Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0)
    if (connected >= waitReplicas) return []
    const message = `waitReplicas is ${waitReplicas}, but ${connected} replicas are connected: no append will be acknowledged`
    return [{ setting: 'waitReplicas', message }]
  } catch (error) {
    return unreadable(
      error,
      'replication',
      'INFO is refused, so it cannot be checked whether this server is the master, and who replicates the log',
    )
  }
}

/** A connection that broke tells nothing; the next one will be looked at. */
const unreadable = (error: unknown, setting: string, message: string): Problem[] =>
  isRefusal(error) ? [{ setting, message: `${message} (${error.message})` }] : []
