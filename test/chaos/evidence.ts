/**
 * What the processes logged: about certain tokens, and what they complained of.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { logFileOf } from './node.ts'
import type { World } from './world.ts'

const linesOf = ({ folder }: World, name: string) =>
  createInterface({ input: createReadStream(logFileOf(folder, name)) })

/** The lines of all adapters that name a token: at which position they read its revocation. */
export async function linesAbout(world: World, jti: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name } of world.adapters) {
    for await (const line of linesOf(world, name)) {
      if (line.includes(`RevokedToken: ${jti},`)) found.push(`${name}: ${line}`)
    }
  }
  return found
}

const complaint = /"level":"(?:warn|error|fatal)"/

/** Warnings and errors of each process, and how often they came. */
export async function complaintsOf(world: World): Promise<readonly string[]> {
  const counts = new Map<string, number>()
  for (const { name } of world.nodes) {
    for await (const line of linesOf(world, name)) {
      const text = line.startsWith('{') ? complaint.test(line) && messageOf(line) : line
      if (text) counts.set(`${name}: ${text}`, (counts.get(`${name}: ${text}`) ?? 0) + 1)
    }
  }
  return [...counts].map(([text, count]) => `${String(count).padStart(6)} x ${text}`)
}

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { code?: string } }
    return `${msg}${err?.code === undefined ? '' : ` [${err.code}]`}`
  } catch {
    // The last line of a process that was killed.
    return ''
  }
}
