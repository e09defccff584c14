/**
 * What envoy/envoy.yaml makes of an enforcer's answers, and what it passes on: the real Envoy, a stand-in enforcer.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import {
  clusterOf,
  type EnvoyConfig,
  type RunningEnvoy,
  startEnvoy,
  waitLongerForChecks,
} from '../support/envoy.ts'
import { type FakeEnforcer, startFakeEnforcer } from '../support/fake-enforcer.ts'
import { requireService } from '../support/requires.ts'
import { type SeenRequest, startUpstream, type Upstream } from '../support/upstream.ts'

interface Setup {
  readonly enforcers: readonly [FakeEnforcer, ...FakeEnforcer[]]
  readonly upstream: Upstream
  readonly envoy: RunningEnvoy
  /** GET through Envoy. */
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

/** An API, a stand-in enforcer for each of `failures`, and an Envoy that knows them all and finds one healthy. */
const setUp = async (
  t: TestContext,
  failures: readonly (status | undefined)[] = [undefined],
  edit?: (config: EnvoyConfig) => void,
): Promise<Setup> => {
  const upstream = await startUpstream()
  t.after(() => upstream.stop())
  const enforcers = await Promise.all(
    failures.map(failWith => startFakeEnforcer(failWith === undefined ? {} : { failWith })),
  )
  t.after(() => Promise.all(enforcers.map(each => each.stop())))
  const [first, ...others] = enforcers as [FakeEnforcer, ...FakeEnforcer[]]
  const envoy = await startEnvoy({
    enforcerPort: first.port,
    upstreamPort: upstream.port,
    edit(config) {
      addEnforcers(config, others)
      waitLongerForChecks(config)
      edit?.(config)
    },
  })
  t.after(() => envoy.stop())
  await until('Envoy finds all enforcers healthy', async () => {
    const stats = await fetch(
      `http://127.0.0.1:${envoy.adminPort}/stats?filter=cluster.enforcer.membership_healthy`,
    )
    return (await stats.text()).trim().endsWith(`: ${enforcers.length}`)
  })
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${envoy.port}${path}`, { headers, redirect: 'manual' })
  return { enforcers: [first, ...others], upstream, envoy, get }
}

const addEnforcers = (config: EnvoyConfig, enforcers: readonly FakeEnforcer[]): void => {
  const cluster = clusterOf(config, 'enforcer')
  for (const { port } of enforcers) {
    const socket_address = { address: '127.0.0.1', port_value: port }
    cluster.load_assignment.endpoints[0].lb_endpoints.push({ endpoint: { address: { socket_address } } })
  }
}

describe('envoy/envoy.yaml', requireService('envoy'), () => {
  test('passes an allowed request on to the API', async t => {
    const { get, upstream } = await setUp(t)
    const response = await get('/orders?limit=5', { authorization: 'Bearer abc' })
    assert.equal(response.status, 200)
    const seen = (await response.json()) as SeenRequest
    assert.equal(seen.path, '/orders?limit=5')
    assert.equal(seen.headers.authorization, 'Bearer abc')
    assert.equal(upstream.requests, 1)
  })

  test('sends the enforcer only the headers that it reads', async t => {
    const { get, enforcers } = await setUp(t)
    await get('/', {
      authorization: 'Bearer abc',
      cookie: 'session=1',
      'x-other': '1',
      'content-type': 'text/plain',
    })
    const headers = enforcers[0].checks[0]?.attributes?.request?.http?.headers ?? {}
    assert.deepEqual(Object.keys(headers).sort(), ['authorization', 'content-type', 'x-request-id'])
    assert.equal(headers.authorization, 'Bearer abc')
  })

  test('carries a gRPC call to the API and its answer back', async t => {
    const { envoy, upstream } = await setUp(t)
    const session = http2.connect(`http://127.0.0.1:${envoy.port}`)
    t.after(() => session.destroy())
    const call = session.request({
      ':method': 'POST',
      ':path': '/test.Echo/Say',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'Bearer abc',
    })
    const message = Buffer.from([0, 0, 0, 0, 3, 1, 2, 3])
    call.end(message)
    const trailers = once(call, 'trailers')
    assert.deepEqual(Buffer.concat(await call.toArray()), message)
    assert.equal((await trailers)[0]['grpc-status'], '0')
    assert.equal(upstream.requests, 1)
  })

  test('asks another enforcer when one cannot decide', async t => {
    const { get, enforcers } = await setUp(t, [status.UNAVAILABLE, undefined])
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await get('/')).status))
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.ok(enforcers[0].checks.length > 0, 'the one that cannot decide was asked too')
  })

  test('answers 503 when no enforcer can decide, having tried more than once', async t => {
    const { get, enforcers, upstream } = await setUp(t, [status.UNAVAILABLE])
    assert.equal((await get('/')).status, 503)
    assert.ok(enforcers[0].checks.length > 1)
    assert.equal(upstream.requests, 0)
  })

  test('answers 503, and does not try again, on an error that is not "unavailable"', async t => {
    const { get, enforcers } = await setUp(t, [status.INTERNAL])
    assert.equal((await get('/')).status, 503)
    assert.equal(enforcers[0].checks.length, 1)
  })

  test('leaves out an enforcer as soon as it says that it is not serving', async t => {
    const { envoy, enforcers } = await setUp(t, [undefined, undefined], config => {
      // Only an answer that counts at once gets past this threshold within the test.
      clusterOf(config, 'enforcer').health_checks[0].unhealthy_threshold = 1000
    })
    const healthy = async (): Promise<string> => {
      const clusters = await fetch(`http://127.0.0.1:${envoy.adminPort}/clusters`)
      const flag = `enforcer::127.0.0.1:${enforcers[0].port}::health_flags::`
      return (
        (await clusters.text())
          .split('\n')
          .find(line => line.startsWith(flag))
          ?.slice(flag.length) ?? ''
      )
    }
    assert.equal(await healthy(), 'healthy')
    enforcers[0].serving = false
    await until('it is left out', async () => (await healthy()).includes('failed_active_hc'))
    enforcers[0].serving = true
    await until('it is back', async () => (await healthy()) === 'healthy')
  })

  test('refuses header names with underscores, and normalises paths', async t => {
    const { get, enforcers } = await setUp(t)
    assert.equal((await get('/', { x_user: '1' })).status, 400)
    assert.equal(enforcers[0].checks.length, 0)
    assert.equal(((await (await get('/a//b')).json()) as SeenRequest).path, '/a/b')
    assert.equal((await get('/a%2Fb')).headers.get('location'), '/a/b')
  })

  test('answers 431 to 100 kB of headers without asking the enforcer', async t => {
    const { get, enforcers } = await setUp(t)
    assert.equal((await get('/', { authorization: `Bearer ${'a'.repeat(100_000)}` })).status, 431)
    assert.equal(enforcers[0].checks.length, 0)
  })
})
