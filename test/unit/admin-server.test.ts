/** The admin server: liveness, readiness, metrics. */
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { afterEach, test } from 'node:test'
import { Counter, Registry } from 'prom-client'
import { type AdminServer, createAdminServer, type Readiness } from '../../runtime/admin-server.ts'
import type { Logger } from '../../runtime/logger.ts'

const logged: string[] = []
const log = (_fields: object, message: string) => void logged.push(message)
const logger: Logger = { level: 'info', trace: log, debug: log, info: log, warn: log, error: log, fatal: log }

const servers: AdminServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
  logged.length = 0
})

function create(ready: () => Readiness = () => ({ ready: true, reasons: [] }), address = '127.0.0.1:0') {
  const registry = new Registry()
  const admin = createAdminServer({ address, setting: 'adapter.adminAddress', ready, registry, logger })
  servers.push(admin)
  return { admin, registry }
}

test('it is live, and ready exactly while it is told so', async () => {
  let readiness: Readiness = { ready: false, reasons: ['no complete snapshot yet'] }
  const { admin } = create(() => readiness)
  const base = `http://${await admin.listen()}`
  assert.equal((await fetch(`${base}/livez`)).status, 200)
  const before = await fetch(`${base}/readyz`)
  assert.equal(before.status, 503)
  assert.equal(before.headers.get('cache-control'), 'no-store')
  assert.deepEqual(await before.json(), { ready: false, reasons: ['no complete snapshot yet'] })
  readiness = { ready: true, reasons: [] }
  const after = await fetch(`${base}/readyz`)
  assert.equal(after.status, 200)
  assert.deepEqual(await after.json(), { ready: true, reasons: [] })
})

test('metrics are those of the registry, in the format of Prometheus', async () => {
  const { admin, registry } = create()
  new Counter({ name: 'rescind_checks_total', help: 'Checks.', registers: [registry] }).inc(3)
  const response = await fetch(`http://${await admin.listen()}/metrics`)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(await response.text(), /^rescind_checks_total 3$/m)
})

test('further routes can be added, unknown ones are 404', async () => {
  const { admin } = create()
  admin.server.get('/nodes', async () => [])
  const base = `http://${await admin.listen()}`
  assert.deepEqual(await (await fetch(`${base}/nodes`)).json(), [])
  const unknown = await fetch(`${base}/secret/path`)
  assert.equal(unknown.status, 404)
  assert.deepEqual(await unknown.json(), { error: 'not_found' })
})

test('a page of another site gets nothing through a browser, but may lead here by a link', async () => {
  const { server } = create().admin
  const statusFor = async (site: string, mode: string) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode }
    return (await server.inject({ url: '/livez', headers })).statusCode
  }
  assert.equal(await statusFor('cross-site', 'cors'), 403)
  assert.equal(await statusFor('cross-site', 'no-cors'), 403)
  assert.equal(await statusFor('cross-site', 'navigate'), 200)
  assert.equal(await statusFor('same-origin', 'cors'), 200)
})

test('an error inside answers 500 without its message and is logged; bad input is 4xx', async () => {
  const { admin } = create(() => {
    throw new Error('hunter2')
  })
  admin.server.post('/things', async () => 'ok')
  const base = `http://${await admin.listen()}`
  const failed = await fetch(`${base}/readyz`)
  assert.equal(failed.status, 500)
  assert.deepEqual(await failed.json(), { error: 'internal_error' })
  assert.deepEqual(logged, ['admin request failed'])
  const headers = { 'content-type': 'application/json' }
  assert.equal((await fetch(`${base}/things`, { method: 'POST', headers, body: '{' })).status, 400)
  const large = JSON.stringify('x'.repeat(70_000))
  assert.equal((await fetch(`${base}/things`, { method: 'POST', headers, body: large })).status, 413)
  assert.deepEqual(logged, ['admin request failed'])
})

test('a second server at the same address says which setting to change', async () => {
  const address = await create().admin.listen()
  await assert.rejects(create(undefined, address).admin.listen(), {
    code: 'ERR_ADDRESS_IN_USE',
    message: new RegExp(`^adapter.adminAddress: cannot listen at ${address}: the address is in use`),
  })
})

test('closing ends connections that are idle', async () => {
  const { admin } = create()
  const port = Number((await admin.listen()).split(':').at(-1))
  const socket = createConnection(port, '127.0.0.1')
  socket.on('error', () => {})
  const accepted = new Promise(resolve => admin.server.server.once('connection', resolve))
  const closed = new Promise(resolve => socket.once('close', resolve))
  await accepted
  await admin.close()
  await closed
  await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`))
})
