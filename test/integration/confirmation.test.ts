/** Confirmed revocation with real processes: enforcers at several adapters, some of which are in trouble. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { createAuthority, createTestFolder, type TestFolder } from '../support/certificates.ts'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { revokeAndWait } from '../support/confirming.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'
import { postRevocation } from '../support/revoking.ts'
import { type SharedStack, type SharedStackOptions, startSharedStack } from '../support/shared-stack.ts'
import { adminToken, type Stack, startStack } from '../support/stack.ts'
import { issueForClient, issueForServer, serverName } from '../support/tls-stack.ts'

/** Enforcers that went are remembered for this long, and adapters settle after it. */
const maxStaleness = '3s'

const logAt = (redis: RunningRedis) => ({ driver: 'redis', redis: { url: redis.url } })

const startConfirming = (redis: RunningRedis, options: Omit<SharedStackOptions, 'log'>) =>
  startSharedStack({
    ...options,
    log: logAt(redis),
    edit: (role, config, adminPorts) => {
      config.enforcer = { ...config.enforcer, maxStaleness }
      if (role === 'revoker')
        config.revoker.confirmation = { adapters: adminPorts.map(port => `http://127.0.0.1:${port}`) }
      options.edit?.(role, config, adminPorts)
    },
  })

/** Revokes something that no test asks for. */
const jti = () => ({ match: { jti: `jti-${Math.random()}` }, expiresAt: Math.floor(Date.now() / 1000) + 600 })

const becomesEnforced = (port: number) =>
  until('a revocation is enforced', async () => {
    const answer = await revokeAndWait(port, jti(), 1)
    return answer.enforced && answer
  })

describe('a revocation that is waited for, with two adapters', requireService('redis'), () => {
  let redis: RunningRedis
  let stack: SharedStack
  before(async () => {
    redis = await startRedis()
    stack = await startConfirming(redis, { adapters: [{}, {}], enforcers: [[0], [0], [1]] })
    await becomesEnforced(stack.revokerPort)
  })
  after(async () => {
    await stack?.stop()
    await redis?.stop()
  })

  test('is enforced by all when that is answered: the next check rejects the token, and another token passes', async () => {
    for (let round = 0; round < 10; round++) {
      const [token, other] = [await stack.issuer.sign(), await stack.issuer.sign()]
      const { header, version } = await revokeAndWait(stack.revokerPort, { token }, 10)
      assert.equal(header, `enforced; version=${version}; enforcers=3/3; unverified`)
      for (const { client } of stack.enforcers) {
        assert.equal((await client.checkToken(token)).reason, 'revoked')
        assert.equal((await client.checkToken(other)).code, status.OK)
      }
    }
  })

  test('is enforced also when it was before, and nothing is appended', async () => {
    const token = await stack.issuer.sign()
    const first = await revokeAndWait(stack.revokerPort, { token }, 10)
    const second = await revokeAndWait(stack.revokerPort, { token }, 10)
    assert.deepEqual([second.enforced, second.version], [true, first.version])
  })

  test('that nobody waits for is answered without a status', async () => {
    const { headers } = await postRevocation(stack.revokerPort, jti())
    assert.deepEqual([headers.get('revocation-status'), headers.get('preference-applied')], [null, null])
  })

  test('is pending while an enforcer stands still, and enforced as soon as it goes on', async () => {
    const [, , last] = stack.enforcers
    last?.freeze(true)
    try {
      const { header, version, reasons } = await revokeAndWait(stack.revokerPort, jti(), 1)
      assert.equal(header, `pending; version=${version}; enforcers=2/3; unverified`)
      assert.deepEqual(reasons, ['enforcer commonEnforcerLabel enforcer-2: has not this version yet'])
      const waiting = revokeAndWait(stack.revokerPort, jti(), 30)
      await until('the adapter serves it', async () => {
        const { version: served } = (await stack.adapters[1]?.nodes()) ?? { version: -1 }
        return served > version
      })
      const resumedAtMs = performance.now()
      last?.freeze(false)
      assert.equal((await waiting).enforced, true)
      assert.ok(performance.now() - resumedAtMs < 10_000, 'it was not answered when the enforcer had it')
    } finally {
      last?.freeze(false)
    }
  })

  test('is pending while an enforcer that was killed is remembered, and does not wait for one that was stopped', async () => {
    const [first, second] = stack.enforcers
    await first?.end('SIGTERM')
    const without = await revokeAndWait(stack.revokerPort, jti(), 2)
    assert.deepEqual([without.enforced, without.acked, without.enforcers], [true, 2, 2])
    await second?.end('SIGKILL')
    const killed = await revokeAndWait(stack.revokerPort, jti(), 1)
    assert.deepEqual([killed.enforced, killed.acked, killed.enforcers], [false, 1, 2])
    assert.deepEqual(killed.reasons, ['enforcer commonEnforcerLabel enforcer-1: disconnected'])
    await first?.startAgain()
    await second?.startAgain()
    assert.equal((await becomesEnforced(stack.revokerPort)).enforcers, 3)
  })

  test('is pending while an adapter is gone, and until one that was started again can know all enforcers', async () => {
    const [adapter] = stack.adapters
    await adapter?.end('SIGKILL')
    const gone = await revokeAndWait(stack.revokerPort, jti(), 1)
    assert.deepEqual([gone.enforced, gone.acked, gone.enforcers], [false, 1, 1])
    assert.match(gone.reasons.join(), /^adapter 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
    await adapter?.startAgain()
    const unsettled = await revokeAndWait(stack.revokerPort, jti(), 0)
    assert.equal(unsettled.enforced, false)
    assert.match(unsettled.reasons.join(), /was started a short time ago/)
    assert.equal((await becomesEnforced(stack.revokerPort)).enforcers, 3)
  })
})

describe('with mutual TLS between enforcers and adapter', requireService('redis'), () => {
  let redis: RunningRedis
  let folder: TestFolder
  let stack: SharedStack
  before(async () => {
    redis = await startRedis()
    folder = createTestFolder()
    const authority = await createAuthority(folder.path, 'authority')
    const [ofServer, ofClient] = [await issueForServer(authority), await issueForClient(authority)]
    const { caFile } = authority
    stack = await startConfirming(redis, {
      edit: (role, config) => {
        if (role === 'adapter') config.adapter.tls = { ...ofServer, clientCaFile: caFile }
        if (role === 'enforcer')
          config.enforcer.discovery = { tls: { enabled: true, caFile, serverName, ...ofClient } }
      },
    })
  })
  after(async () => {
    await stack?.stop()
    folder?.remove()
    await redis?.stop()
  })

  test('nothing is unverified', async () => {
    const { header, version } = await becomesEnforced(stack.revokerPort)
    assert.equal(header, `enforced; version=${version}; enforcers=1/1`)
  })
})

describe('rescind all', () => {
  let stack: Stack
  before(async () => {
    stack = await startStack()
  })
  after(() => stack?.stop())

  const revokeByCommand = async (...args: readonly string[]) =>
    runCommandLine(['revoke', '-', '--server', `http://127.0.0.1:${stack.ports.revoker}`, ...args], {
      input: await stack.issuer.sign(),
      env: { RESCIND_ADMIN_TOKEN: adminToken },
    })

  test('confirms at once on a new log: nobody can have been served from it before', async () => {
    const { header, version } = await revokeAndWait(stack.ports.revoker, jti(), 10)
    assert.equal(header, `enforced; version=${version}; enforcers=1/1; unverified`)
  })

  test('confirms to rescind revoke --wait, which ends with 0', async () => {
    const { exitCode, stdout } = await revokeByCommand('--wait', '10')
    assert.match(stdout, /^enforced by 1 of 1 enforcers, which are not known by certificates$/m)
    assert.equal(exitCode, 0)
  })

  test('after a restart is pending, for it cannot know who else had been connected, and rescind revoke ends with 2', async () => {
    await stack.kill()
    await stack.startAgain()
    const { exitCode, stdout } = await revokeByCommand('--wait', '1', '--json')
    assert.deepEqual([exitCode, JSON.parse(stdout).confirmation.enforced], [2, false])
    assert.match(stdout, /was started a short time ago/)
    const text = await revokeByCommand('--wait', '0')
    assert.deepEqual([text.exitCode, /^NOT KNOWN TO BE ENFORCED: /m.test(text.stdout)], [2, true])
    assert.equal((await revokeByCommand()).exitCode, 0)
  })
})
