/**
 * An enforcer that stores what it knows on disk: after a restart it can decide although no adapter answers.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { freePort } from '../support/ports.ts'
import { type LogLine, type RescindProcess, startRescind } from '../support/processes.ts'
import { revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'

describe('an enforcer with a snapshot on disk', () => {
  let stack: Stack
  let folder: string
  let file: string
  let port: number
  let adminPort: number
  let process: RescindProcess
  let enforcer: EnforcerClient
  let revoked: string

  const start = async (useAfter: string, ready?: (line: LogLine) => boolean): Promise<void> => {
    const config = {
      log: { format: 'json' },
      issuers: stack.config.issuers,
      enforcer: {
        address: `127.0.0.1:${port}`,
        adminAddress: `127.0.0.1:${adminPort}`,
        adapters: [`127.0.0.1:${stack.ports.adapter}`],
        drainDelay: '0s',
        snapshot: { file, useAfter },
      },
    }
    process = await startRescind(['enforcer'], { config, ...(ready === undefined ? {} : { ready }) })
  }
  const readiness = async () => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    return (await response.json()) as { ready: boolean; reasons: string[]; notes: string[] }
  }
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
    return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])
  }

  before(async () => {
    stack = await startStack()
    folder = await mkdtemp(join(tmpdir(), 'rescind-snapshot-'))
    file = join(folder, 'enforcer', 'snapshot')
    port = await freePort()
    adminPort = await freePort()
    enforcer = createEnforcerClient(port)
    revoked = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await start('1h')
    await process.stop()
    await stack.kill()
  })
  after(async () => {
    enforcer.close()
    await process.stop()
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('stores it when it stops, for its user alone', async () => {
    assert.equal((await stat(file)).mode & 0o777, 0o600)
  })

  test('decides by it after the configured time, and says so', async () => {
    await start('0s')
    await until('it serves', async () => (await enforcer.health()) === 'SERVING')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
    const { ready, notes } = await readiness()
    assert.ok(ready)
    assert.match(notes[0] ?? '', /decided by the snapshot on disk, which is \d+ s old/)
    assert.equal(await metric('rescind_enforcer_snapshot_from_disk'), 1)
    assert.ok((await metric('rescind_enforcer_staleness_seconds')) > 0)
    assert.ok(process.output().includes('checks are decided by the snapshot on disk'))
  })

  test('waits for an adapter until then, and needs only what is new from it', async () => {
    await process.stop()
    await start('1h', line => line.msg === 'no discovery from this adapter; trying again')
    assert.equal(await enforcer.health(), 'NOT_SERVING')
    await assert.rejects(enforcer.checkToken(revoked), { code: status.UNAVAILABLE })
    await stack.startAgain()
    const later = await stack.issuer.sign()
    await until('it serves', async () => (await enforcer.health()) === 'SERVING')
    await revokeAsAdmin(stack.ports.revoker, { token: later })
    await until(
      'it enforces what came later',
      async () => (await enforcer.checkToken(later)).reason === 'revoked',
    )
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.deepEqual((await readiness()).notes, [])
    assert.equal(await metric('rescind_enforcer_snapshot_from_disk'), 0)
    assert.ok(!process.output().includes('"full":true'))
  })

  const damages: Readonly<Record<string, () => Promise<void>>> = {
    'that was cut off': async () => truncate(file, (await stat(file)).size - 7),
    'of which a byte has changed': async () => {
      const bytes = await readFile(file)
      bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1
      await writeFile(file, bytes)
    },
    'that is something else': () => writeFile(file, 'something else'),
    'that is empty': () => writeFile(file, ''),
  }
  for (const [what, damage] of Object.entries(damages)) {
    test(`ignores a file ${what}, loudly, and gets everything from an adapter`, async () => {
      await process.stop()
      await damage()
      await start('0s')
      await until('it serves', async () => (await enforcer.health()) === 'SERVING')
      assert.match(process.output(), /THE SNAPSHOT ON DISK CANNOT BE USED/)
      assert.match(process.output(), /ERR_SNAPSHOT_INVALID/)
      assert.match(process.output(), /"full":true/)
      assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    })
  }
})
