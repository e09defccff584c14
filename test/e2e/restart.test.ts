/**
 * Processes that die, come back, or stop in order, behind the real Envoy: nothing revoked ever passes meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import type { RunningEnvoy } from '../support/envoy.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import { freePort } from '../support/ports.ts'
import { type LogLine, type RescindProcess, startRescind } from '../support/processes.ts'
import { requireService } from '../support/requires.ts'
import { revokeAs, revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startEnvoyFor, startStack, testClient } from '../support/stack.ts'

describe('rescind all, killed', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway
  before(async () => {
    stack = await startStack({ envoy: true })
    const control = await stack.issuer.sign()
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: async () => control,
    })
  })
  after(() => stack.stop())

  test('and started again still rejects what it had acknowledged, and nothing else', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 20 }, () => stack.issuer.sign({ client_id: testClient.id })),
    )
    const spared = await stack.issuer.sign({ client_id: testClient.id })
    for (const token of [...tokens.slice(0, 2), spared]) assertAllowed(await gateway.round(token))
    const answers = await Promise.all(tokens.map(token => revokeAs(stack.ports.revoker, testClient, token)))
    await stack.kill()
    assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([200]))
    assert.equal((await gateway.callWith(spared)).status, 503)

    await stack.startAgain()
    await until('Envoy finds it again', async () => (await gateway.callWith(spared)).status === 200)
    for (const token of tokens) assertDenied(await gateway.round(token), 'revoked')
    assertAllowed(await gateway.round(spared))
  })
})

describe('an enforcer beside its adapter', requireService('envoy'), () => {
  let stack: Stack
  let envoy: RunningEnvoy
  let enforcer: RescindProcess
  let client: EnforcerClient
  let gateway: Gateway
  let ports: { enforcer: number; admin: number }
  let config: object
  let revoked: string
  const control = () => stack.issuer.sign()

  const startEnforcer = async (ready?: (line: LogLine) => boolean): Promise<void> => {
    enforcer = await startRescind(['enforcer'], { config, ...(ready === undefined ? {} : { ready }) })
  }
  const isReadyAtEnvoy = async () => {
    const token = await control()
    await until('Envoy lets it decide', async () => (await gateway.callWith(token)).status === 200)
  }
  const readiness = async () => {
    const response = await fetch(`http://127.0.0.1:${ports.admin}/readyz`)
    return { status: response.status, ...((await response.json()) as { reasons: string[] }) }
  }

  before(async () => {
    stack = await startStack()
    ports = { enforcer: await freePort(), admin: await freePort() }
    config = {
      log: { format: 'json' },
      issuers: stack.config.issuers,
      enforcer: {
        address: `127.0.0.1:${ports.enforcer}`,
        adminAddress: `127.0.0.1:${ports.admin}`,
        adapters: [`127.0.0.1:${stack.ports.adapter}`],
        drainDelay: '3s',
      },
    }
    await startEnforcer()
    envoy = await startEnvoyFor(ports.enforcer, stack.upstream)
    client = createEnforcerClient(ports.enforcer)
    gateway = createGateway({ envoyPort: envoy.port, enforcerAdminPort: ports.admin, control })
    revoked = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await until('it is rejected', async () => (await gateway.callWith(revoked)).status === 401)
  })
  after(async () => {
    client.close()
    await envoy.stop()
    await enforcer.kill('SIGKILL')
    await enforcer.stop()
    await stack.stop()
  })
  beforeEach(isReadyAtEnvoy)

  test('goes on deciding while the adapter is away, and hears of new revocations when it is back', async () => {
    const later = await control()
    await stack.kill()
    await until('the enforcer has noticed', () =>
      enforcer.output().includes('no discovery from this adapter'),
    )
    assertDenied(await gateway.round(revoked), 'revoked')
    assertAllowed(await gateway.round(later))
    assert.equal((await readiness()).status, 200)

    await stack.startAgain()
    await revokeAsAdmin(stack.ports.revoker, { token: later })
    await until('it is rejected', async () => (await gateway.callWith(later)).status === 401)
    assertDenied(await gateway.round(later), 'revoked')
    assertDenied(await gateway.round(revoked), 'revoked')
  })

  test('that restarts while the adapter is away is not ready, and becomes so by itself', async () => {
    await stack.kill()
    await enforcer.kill('SIGKILL')
    await enforcer.stop()
    await startEnforcer(line => line.msg === 'no discovery from this adapter; trying again')
    assert.equal(await until('health is answered', () => client.health()), 'NOT_SERVING')
    assert.equal((await readiness()).status, 503)
    assert.match((await readiness()).reasons.join(), /no complete snapshot/)
    await assert.rejects(client.checkToken(await control()), { code: status.UNAVAILABLE })
    for (const token of [revoked, await control()]) {
      assert.equal((await gateway.callWith(token)).status, 503)
    }

    await stack.startAgain()
    await until('it serves', async () => (await client.health()) === 'SERVING')
    await isReadyAtEnvoy()
    assertDenied(await gateway.round(revoked), 'revoked')
    assert.equal((await readiness()).status, 200)
  })

  test('that is told to stop says so at once, answers during the drain delay, and exits with 0', async () => {
    const token = await control()
    assert.equal((await client.checkToken(token)).code, status.OK)
    const ended = enforcer.kill('SIGTERM')
    await until('it says that it stops', async () => (await client.health()) === 'NOT_SERVING')
    assert.equal(enforcer.exitCode, undefined)
    assert.equal((await client.checkToken(token)).code, status.OK)
    assert.equal((await client.checkToken(revoked)).reason, 'revoked')
    assert.deepEqual((await readiness()).reasons, ['draining'])
    await ended
    assert.equal(enforcer.exitCode, 0)
    await enforcer.stop()
    await startEnforcer()
  })
})
