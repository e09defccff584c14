/** The embedded log and other processes: who may write, and what a killed one leaves. */
import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chainedDigest } from '../../event-log/digest.ts'
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { type Child, startChild } from '../support/child.ts'
import { until } from '../support/condition.ts'
import { newFolder } from '../support/embedded-log.ts'
import { readNow } from '../support/log-reading.ts'

const program = fileURLToPath(new URL('../support/embedded-log-child.js', import.meta.url))

const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code

let folder = ''
const children: Child[] = []
const logs: EventLog[] = []

beforeEach(async () => {
  folder = await newFolder()
})

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill('SIGKILL')
  for (const log of logs.splice(0)) await log.close()
  await rm(folder, { recursive: true, force: true })
})

const openHere = async (appendTimeoutMs = 10_000): Promise<EventLog> => {
  const log = await openEmbeddedLog({ folder, appendTimeoutMs })
  logs.push(log)
  return log
}

const startOn = async (mode: 'hold' | 'append' | 'lock'): Promise<Child> => {
  const child = await startChild(process.execPath, [program, mode, folder])
  children.push(child)
  await until(`${mode} has begun`, () => child.output().includes('open\n'), {
    giveUp: () => (child.exitCode === undefined ? undefined : child.output()),
  })
  return child
}

/** `ack POSITION NUMBER` lines: what was acknowledged; a last line that was cut off does not count. */
const acknowledged = (child: Child): Map<number, string> => {
  const lines = child.output().split('\n').slice(0, -1)
  const acks = lines.flatMap(line => /^ack (\d+) (\d+)$/.exec(line) ?? [])
  const pairs = new Map<number, string>()
  for (let at = 0; at < acks.length; at += 3) pairs.set(Number(acks[at + 1]), `event ${acks[at + 2]}`)
  return pairs
}

const assertChained = (entries: readonly LogEntry[]): void => {
  let { digest } = beforeFirst
  for (const entry of entries) {
    digest = chainedDigest(digest, entry.event)
    assert.equal(entry.digest, digest, `at ${entry.position}`)
  }
}

describe('a folder', () => {
  test('that another process has open is refused with a message that says so', async () => {
    await startOn('hold')
    await assert.rejects(openHere(), (error: unknown) => {
      assert.ok(error instanceof RescindError && error.message.includes(folder))
      return error.code === 'ERR_LOG_IN_USE'
    })
  })

  test('that this process has open already is refused too', async () => {
    await openHere()
    await assert.rejects(openHere(), hasCode('ERR_LOG_IN_USE'))
  })

  test('that a killed process left with its socket is taken over', async () => {
    const child = await startOn('hold')
    await child.kill('SIGKILL')
    assert.ok((await readdir(folder)).includes('writer.sock'))
    const log = await openHere()
    assert.ok((await log.append(Buffer.from('one'))) > 0)
  })

  test('that was closed can be opened again', async () => {
    await (await openHere()).close()
    await openHere()
  })

  test('whose path is too long for a socket is guarded nevertheless', async () => {
    const deep = join(folder, 'x'.repeat(120))
    const log = await openEmbeddedLog({ folder: deep, appendTimeoutMs: 10_000 })
    logs.push(log)
    await assert.rejects(openEmbeddedLog({ folder: deep, appendTimeoutMs: 1 }), hasCode('ERR_LOG_IN_USE'))
  })

  test('in whose place there is a file is an error that names the setting', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await assert.rejects(openEmbeddedLog({ folder: file, appendTimeoutMs: 1 }), (error: unknown) => {
      assert.ok(error instanceof RescindError && error.message.startsWith(`eventLog.folder: ${file} `))
      return error.code === 'ERR_LOG_FOLDER'
    })
  })
})

test('a writer that was overtaken stores nothing more, and says that it was', async () => {
  const child = await startOn('append')
  await until('it appends', () => acknowledged(child).size > 20)
  await rm(join(folder, 'writer.sock'))
  const log = await openHere()
  await until('it has stopped', () => child.exitCode !== undefined)
  assert.match(child.output(), /failed ERR_LOG_TAKEN\n$/)

  const position = await log.append(Buffer.from('ours'))
  const entries = await readNow(log)
  const acks = acknowledged(child)
  for (const [at, text] of acks) {
    assert.equal(Buffer.from(entries.find(entry => entry.position === at)?.event ?? []).toString(), text)
  }
  assert.equal(entries.at(-1)?.position, position)
  assert.equal(Buffer.from(entries.at(-1)?.event ?? []).toString(), 'ours')
  assertChained(entries)
})

test('what was acknowledged before a kill -9 is there afterwards, each time, in an unbroken chain', async () => {
  const expected = new Map<number, string>()
  let epoch: string | undefined
  for (let round = 1; round <= 4; round++) {
    const child = await startOn('append')
    await until('it has appended', () => acknowledged(child).size > 100 * round)
    await child.kill('SIGKILL')
    for (const [position, text] of acknowledged(child)) {
      assert.ok(!expected.has(position), `position ${position} was given twice`)
      expected.set(position, text)
    }
    const log = await openHere()
    const check = await log.check(beforeFirst)
    epoch ??= check.epoch
    assert.equal(check.epoch, epoch)
    const entries = await readNow(log)
    assertChained(entries)
    const texts = new Map(entries.map(({ position, event }) => [position, Buffer.from(event).toString()]))
    for (const [position, text] of expected) assert.equal(texts.get(position), text)
    await log.close()
    logs.length = 0
  }
  assert.ok(expected.size > 1_000)
})

test('an append that is not done in time fails so that nobody takes it for refused, for it may be stored yet', async () => {
  const log = await openHere(200)
  const holder = await startOn('lock')
  await assert.rejects(log.append(Buffer.from('late')), (error: unknown) => {
    assert.ok(error instanceof RescindError && error.message.includes('may have been stored'))
    return error.code === 'ERR_LOG_TIMEOUT'
  })
  await holder.kill('SIGKILL')
  await until('it was stored in the end', async () => (await log.check(beforeFirst)).end > 0)
  assert.equal(Buffer.from((await readNow(log))[0]?.event ?? []).toString(), 'late')
})
