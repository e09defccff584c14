/**
 * What a Redis says of itself.
 *
 * @module
 */
import type { Redis } from 'ioredis'
import { isRefusal } from './refusal.ts'

/** Fields are absent where Redis does not tell them, or refuses INFO. */
export interface ServerInfo {
  /** Random, another one each time a server starts. */
  readonly runId: string | undefined
  /** `master` or `slave`. */
  readonly role: string | undefined
}

/** Asks the server at the other end. @throws errors of the library when the connection breaks. */
export async function readServerInfo(client: Redis): Promise<ServerInfo> {
  const info = await client.info().catch(error => {
    if (isRefusal(error)) return ''
    throw error
  })
  return { runId: fieldOf(info, 'run_id'), role: fieldOf(info, 'role') }
}

const fieldOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
