/**
 * The real Envoy on envoy/envoy.yaml, without an enforcer: it starts, fails closed, and answers preflights.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { envoyOldest, findService } from '../services/catalogue.ts'
import { runCommand } from '../services/command.ts'
import { type RunningEnvoy, startEnvoy } from '../support/envoy.ts'
import { freePort } from '../support/ports.ts'
import { projectRoot } from '../support/project.ts'
import { requireService } from '../support/requires.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

for (const name of ['envoy', envoyOldest])
  test(`${name} accepts envoy/envoy.yaml as it is`, requireService(name), async () => {
    const file = `${projectRoot}/envoy/envoy.yaml`
    const output = await runCommand(findService(name)!, ['--mode', 'validate', '-c', file, '-l', 'error'], {
      timeoutMs: 60_000,
    })
    assert.match(output, /configuration '.*envoy\.yaml' OK/)
  })

describe('Envoy without an enforcer', requireService('envoy'), () => {
  let upstream: Upstream
  let envoy: RunningEnvoy
  const app = 'https://app.example.test'

  before(async () => {
    upstream = await startUpstream()
    envoy = await startEnvoy({ enforcerPort: await freePort(), upstreamPort: upstream.port })
  })
  after(async () => {
    await envoy?.stop()
    await upstream?.stop()
  })

  const preflight = (origin: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${envoy.port}/orders`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })

  test('answers 503 and lets nothing reach the API', async () => {
    const response = await fetch(`http://127.0.0.1:${envoy.port}/orders`, {
      headers: { authorization: 'Bearer x' },
    })
    assert.equal(response.status, 503)
    assert.equal(upstream.requests, 0)
  })

  test('lets a web application read that answer', async () => {
    const response = await fetch(`http://127.0.0.1:${envoy.port}/orders`, { headers: { origin: app } })
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('access-control-allow-origin'), app)
  })

  test('answers the preflight of a known origin itself', async () => {
    const response = await preflight(app)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), app)
    assert.match(response.headers.get('access-control-allow-headers') ?? '', /authorization/)
    assert.equal(upstream.requests, 0)
  })

  test('permits nothing to an unknown origin', async () => {
    const response = await preflight('https://elsewhere.example.test')
    assert.equal(response.headers.get('access-control-allow-origin'), null)
    assert.equal(upstream.requests, 0)
  })

  test('closes the port when it is stopped', async () => {
    const other = await startEnvoy({ enforcerPort: await freePort(), upstreamPort: upstream.port })
    await other.stop()
    await assert.rejects(fetch(`http://127.0.0.1:${other.port}/`))
    assert.throws(() => process.kill(other.pid, 0))
  })
})
