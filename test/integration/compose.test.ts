/**
 * docker-compose.yml, as far as it can be proved without containers: its form, Envoy's command, the API, the health check.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Registry } from 'prom-client'
import { parse } from 'yaml'
import { createAdminServer } from '../../runtime/admin-server.ts'
import { loadConfig } from '../../runtime/config/load.ts'
import { findService } from '../services/catalogue.ts'
import { runCommand } from '../services/command.ts'
import { envoyVersion } from '../services/versions.ts'
import { startChild } from '../support/child.ts'
import { until } from '../support/condition.ts'
import { clusterOf, endpointOf } from '../support/envoy.ts'
import { startFakeEnforcer } from '../support/fake-enforcer.ts'
import { freePort } from '../support/ports.ts'
import { projectRoot } from '../support/project.ts'
import { createErrorLogger } from '../support/published-log.ts'
import { requireService } from '../support/requires.ts'

const timeoutMs = 60_000
const { services } = parse(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'), { merge: true })

const temporaryFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-compose-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('docker-compose accepts docker-compose.yml', requireService('docker-compose'), async () => {
  const file = join(projectRoot, 'docker-compose.yml')
  const output = await runCommand(findService('docker-compose')!, ['-f', file, 'config', '--services'], {
    timeoutMs,
  })
  assert.deepEqual(output.trim().split('\n').sort(), [
    'adapter',
    'api',
    'enforcer-1',
    'enforcer-2',
    'envoy',
    'redis',
    'revoker',
  ])
})

test('its Envoy is the one that the tests run', () => {
  assert.equal(services.envoy.image, `envoyproxy/envoy:v${envoyVersion}`)
})

test('its containers of Rescind get a valid configuration, in which they find each other', () => {
  for (const name of ['revoker', 'adapter', 'enforcer-1', 'enforcer-2']) {
    const [file] = services[name].volumes[0].split(':')
    const { config } = loadConfig({ file: join(projectRoot, file), env: {} })
    assert.equal(config.eventLog.redis.url, 'redis://redis:6379')
    assert.deepEqual(config.enforcer.adapters, ['adapter:18000'])
    assert.equal(services[name].command[0], name.replace(/-.$/, ''))
  }
})

/** What it is connected to; the default network unless it says otherwise. */
const networksOf = (name: string): readonly string[] => {
  const { networks = ['default'] } = services[name]
  return Array.isArray(networks) ? networks : Object.keys(networks)
}

test('only its revoker and adapter can reach the log, and have the key that signs it', () => {
  const logUsers = ['adapter', 'revoker']
  const names = Object.keys(services)
  assert.deepEqual(networksOf('redis'), ['log'])
  assert.deepEqual(
    names.filter(name => name !== 'redis' && networksOf(name).includes('log')).sort(),
    logUsers,
  )
  assert.deepEqual(
    names.filter(name => services[name].environment?.RESCIND_EVENT_LOG_KEY !== undefined).sort(),
    logUsers,
  )
  for (const name of names) assert.ok(name === 'redis' || networksOf(name).includes('default'), name)
})

test('what its Redis acknowledged is on disk', () => {
  const options = services.redis.command.join(' ')
  for (const option of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
    assert.ok(options.includes(option), option)
})

test('its Envoy gets envoy.yaml with the names of the containers', requireService('envoy'), async t => {
  const folder = temporaryFolder(t)
  const [source] = services.envoy.volumes[0].split(':')
  copyFileSync(join(projectRoot, source), join(folder, 'rescind.yaml'))
  const [shell, option, script] = services.envoy.command as [string, string, string]
  const here = script
    .replace('/etc/envoy', folder)
    .replaceAll('/tmp/envoy.yaml', join(folder, 'envoy.yaml'))
    .replace('exec envoy', `exec ${findService('envoy')} --mode validate`)
  await runCommand(shell, [option, here], { timeoutMs })
  const config = parse(readFileSync(join(folder, 'envoy.yaml'), 'utf8'))
  const addresses = ['enforcer', 'api', 'api-grpc'].map(name => endpointOf(clusterOf(config, name)))
  assert.deepEqual(addresses, [
    { address: 'enforcer', port_value: 8081 },
    { address: 'api', port_value: 8080 },
    { address: 'api', port_value: 8080 },
  ])
})

test('its API answers with what reached it', async t => {
  const port = await freePort()
  const [program, ...options] = services.api.entrypoint as [string, ...string[]]
  const script = services.api.command[0].replace('8080', String(port))
  const api = await startChild(program, [...options, script])
  t.after(() => api.stop())
  const seen = await until('the API answers', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/orders`, { headers: { 'x-user': 'me' } })
    return (await response.json()) as { path: string; headers: Record<string, string> }
  })
  assert.equal(seen.path, '/orders')
  assert.equal(seen.headers['x-user'], 'me')
})

/** The exit code of the image's health check. */
const health = async (subject: number | string): Promise<number | null | undefined> => {
  const check = await startChild(process.execPath, [
    join(projectRoot, 'deploy', 'health.mjs'),
    String(subject),
  ])
  await until('the health check ends', () => check.exitCode !== undefined)
  return check.exitCode
}

test('the health check of the image follows the enforcer', async t => {
  const enforcer = await startFakeEnforcer()
  t.after(() => enforcer.stop())
  assert.equal(await health(enforcer.port), 0)
  enforcer.serving = false
  assert.equal(await health(enforcer.port), 1)
  assert.equal(await health(await freePort()), 1)
})

test('the health check of revoker and adapter follows their readiness', async t => {
  let ready = false
  const admin = createAdminServer({
    address: '127.0.0.1:0',
    setting: 'test',
    ready: () => ({ ready, reasons: [] }),
    registry: new Registry(),
    logger: createErrorLogger().logger,
  })
  await admin.listen()
  t.after(() => admin.close())
  const { port } = admin.server.server.address() as AddressInfo
  assert.equal(await health(`http://127.0.0.1:${port}/readyz`), 1)
  ready = true
  assert.equal(await health(`http://127.0.0.1:${port}/readyz`), 0)
})
