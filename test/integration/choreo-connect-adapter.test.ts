/** An enforcer of ours that is fed by an adapter which behaves as Choreo Connect's does. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { decodeJwt } from 'jose'
import { type ChoreoConnectAdapter, startChoreoConnectAdapter } from '../support/choreo-connect-adapter.ts'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { createTestIssuer, type TestIssuer, testAudience } from '../support/issuer.ts'
import { freePort } from '../support/ports.ts'
import { type RescindProcess, startRescind } from '../support/processes.ts'

const jtiOf = (token: string): string => decodeJwt(token).jti ?? ''
const expiryOf = (token: string): number => (decodeJwt(token).exp ?? 0) * 1_000

describe('an enforcer with enforcer.discovery.protocol: sotw', () => {
  let issuer: TestIssuer
  let adapter: ChoreoConnectAdapter
  let process: RescindProcess
  let enforcer: EnforcerClient

  before(async () => {
    issuer = await createTestIssuer()
    adapter = await startChoreoConnectAdapter()
    const port = await freePort()
    process = await startRescind(['enforcer'], {
      config: {
        log: { format: 'json' },
        issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [testAudience] }],
        enforcer: {
          address: `127.0.0.1:${port}`,
          adminAddress: '127.0.0.1:0',
          adapters: [`127.0.0.1:${adapter.port}`],
          discovery: { protocol: 'sotw', readyAfter: '200ms' },
          drainDelay: '0s',
        },
      },
    })
    enforcer = createEnforcerClient(port)
  })
  after(async () => {
    enforcer?.close()
    await process?.stop()
    await adapter?.stop()
    await issuer?.stop()
  })

  const passes = async () => assert.equal((await enforcer.checkToken(await issuer.sign())).code, status.OK)
  const isRejected = async (token: string) => (await enforcer.checkToken(token)).reason === 'revoked'
  const revokeNew = async () => {
    const token = await issuer.sign()
    await adapter.publish({ jti: jtiOf(token), expirytime: expiryOf(token) })
    return token
  }

  test('is ready while the adapter, which has nothing to say, is silent', async () => {
    assert.equal(await enforcer.health(), 'SERVING')
    assert.equal(adapter.answers.length, 0)
    await passes()
  })

  test('rejects each token that was pushed, for the updates before are not repeated', async () => {
    const tokens: string[] = []
    for (let count = 0; count < 20; count++) tokens.push(await revokeNew())
    for (const token of tokens) assert.ok(await isRejected(token))
    await passes()
    assert.ok(adapter.answers.every(({ errorDetail }) => errorDetail === null))
  })

  test('takes a refill of 40,000 tokens in one message of more than 4 MiB', async () => {
    const token = await issuer.sign()
    const others = Array.from({ length: 40_000 }, (_, index) => ({ jti: `${'x'.repeat(50)}-${index}` }))
    await adapter.publish(...others, { jti: jtiOf(token), expirytime: expiryOf(token) })
    assert.ok(await isRejected(token))
    await passes()
  })

  test('refuses what it cannot read, decides on, and takes what comes then', async () => {
    const before = adapter.answers.length
    adapter.publishGarbage()
    await until('it is refused', () =>
      adapter.answers.slice(before).some(({ errorDetail }) => errorDetail !== null),
    )
    await passes()
    assert.ok(await isRejected(await revokeNew()))
  })

  test('keeps what it knows when streams break and when the adapter is gone, and opens another stream', async () => {
    const earlier = await revokeNew()
    adapter.breakStreams()
    await until('it has opened another stream', () => adapter.streams > 0)
    assert.ok(await isRejected(earlier))
    const { port } = adapter
    await adapter.stop()
    await until('it has noticed', () => process.output().includes('no discovery from this adapter'))
    assert.ok(await isRejected(earlier))
    await passes()
    adapter = await startChoreoConnectAdapter(port)
    await until('it has come back', () => adapter.streams > 0)
    const later = await revokeNew()
    assert.ok((await isRejected(later)) && (await isRejected(earlier)))
  })
})

test('rescind all, whose enforcer is fed by the adapter beside it, refuses the other protocol', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-sotw-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'rescind.yaml')
  writeFileSync(file, `eventLog: { folder: ${folder}/log }\nenforcer: { discovery: { protocol: sotw } }\n`)
  const { exitCode, stderr } = await runCommandLine(['all', '--config', file])
  assert.equal(exitCode, 1)
  assert.match(stderr, /enforcer\.discovery\.protocol: .*rescind enforcer.*ERR_CONFIG_INVALID/s)
})
