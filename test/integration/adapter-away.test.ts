/**
 * An enforcer of its own whose adapter goes away: what it knows it goes on enforcing, and without that it decides nothing.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { freePort } from '../support/ports.ts'
import { type LogLine, type RescindProcess, startRescind } from '../support/processes.ts'
import { revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'

describe('an enforcer whose adapter goes away', () => {
  let stack: Stack
  let process: RescindProcess
  let enforcer: EnforcerClient
  let adminPort: number
  let config: object
  let revoked: string
  const start = async (ready?: (line: LogLine) => boolean): Promise<void> => {
    process = await startRescind(['enforcer'], { config, ...(ready === undefined ? {} : { ready }) })
  }

  before(async () => {
    stack = await startStack()
    const port = await freePort()
    adminPort = await freePort()
    config = {
      log: { format: 'json' },
      issuers: stack.config.issuers,
      enforcer: {
        address: `127.0.0.1:${port}`,
        adminAddress: `127.0.0.1:${adminPort}`,
        adapters: [`127.0.0.1:${stack.ports.adapter}`],
        drainDelay: '0s',
      },
    }
    enforcer = createEnforcerClient(port)
    revoked = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await start()
    await stack.kill()
  })
  after(async () => {
    enforcer.close()
    await process.stop()
    await stack.stop()
  })

  test('goes on deciding by what it knows', async () => {
    await until('it has noticed', () => process.output().includes('no discovery from this adapter'))
    // Health and checks follow this within a moment, so that they alone would not show what has just been lost.
    assert.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200)
    assert.equal(await enforcer.health(), 'SERVING')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
  })

  test('decides nothing after a restart, until an adapter has brought it everything', async () => {
    await process.stop()
    await start(line => line.msg === 'no discovery from this adapter; trying again')
    assert.equal(await enforcer.health(), 'NOT_SERVING')
    for (const token of [revoked, await stack.issuer.sign(), 'malformed']) {
      await assert.rejects(enforcer.checkToken(token), { code: status.UNAVAILABLE })
    }
    await stack.startAgain()
    await until('it serves', async () => (await enforcer.health()) === 'SERVING')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
  })
})
