/** Whoever starts a part is told what of it others on the network can reach, read or change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { exposureWarnings } from '../../cli/exposure.ts'
import type { Role } from '../../cli/roles.ts'
import { loadYaml } from '../support/config-files.ts'

const settingsOf = (role: Role, settings: object): string[] =>
  exposureWarnings(role, loadYaml(stringify(settings)).config).map(line => line.split(' ', 1)[0] as string)

const issuer = 'https://idp.example.com'
const sources = (host: string, secure: boolean) => {
  const s = secure ? 's' : ''
  const source = { formats: ['set-caep'], issuers: [issuer] }
  const transmitters = [{ issuer, jwksUri: `http${s}://${host}/jwks`, audiences: ['me'], issuers: [issuer] }]
  const refill = { url: `http${s}://${host}`, username: 'a', password: 'b' }
  return {
    issuers: [{ issuer, jwksUri: `http${s}://${host}/jwks` }],
    revoker: {
      inbox: [
        {
          ...source,
          name: 'k',
          kafka: { brokers: [`${host}:9092`], topic: 't', tls: { enabled: secure } },
          transmitters,
        },
        { ...source, name: 'r', redis: { url: `redis${s}://${host}`, stream: 's' }, transmitters },
      ],
      confirmation: { adapters: [`dns+http${s}://${host}:18001`] },
      eventHub: { brokers: [`amqp${s}://${host}`], username: 'a', password: 'b', refill },
    },
  }
}
const logs = (host: string, secure: boolean) => [
  { driver: 'redis', redis: { url: `redis${secure ? 's' : ''}://${host}` } },
  { driver: 'kafka', kafka: { brokers: [`${host}:9092`], tls: { enabled: secure } } },
]

test('all that comes from other machines in the clear is named, each by its setting', () => {
  const fromOthers = [
    'revoker.confirmation.adapters:',
    'revoker.inbox[0].kafka.brokers:',
    'revoker.inbox[0].transmitters[0]:',
    'revoker.inbox[1].redis.url:',
    'revoker.inbox[1].transmitters[0]:',
    'revoker.eventHub.brokers:',
    'revoker.eventHub.refill.url:',
  ]
  assert.deepEqual(settingsOf('revoker', sources('example.com', false)), [...fromOthers, 'issuers[0]:'])
  assert.deepEqual(settingsOf('enforcer', sources('example.com', false)), ['issuers[0]:'])
  assert.deepEqual(settingsOf('adapter', sources('example.com', false)), [])
})

test('what is encrypted, or stays on this machine, is not named', () => {
  assert.deepEqual(settingsOf('all', sources('example.com', true)), [])
  for (const host of ['localhost', '127.0.0.1']) assert.deepEqual(settingsOf('all', sources(host, false)), [])
})

test('a log that others could write to is named by all that use it, and needs a key', () => {
  for (const [index, setting] of ['eventLog.redis.url:', 'eventLog.kafka.brokers:'].entries()) {
    const eventLog = logs('example.com', false)[index]
    assert.deepEqual(settingsOf('adapter', { eventLog }), [setting, 'eventLog.key'])
    assert.deepEqual(settingsOf('enforcer', { eventLog }), [])
    assert.deepEqual(settingsOf('revoker', { eventLog: { ...eventLog, key: 'x'.repeat(32) } }), [setting])
    assert.deepEqual(settingsOf('revoker', { eventLog: logs('example.com', true)[index] }), ['eventLog.key'])
    assert.deepEqual(settingsOf('revoker', { eventLog: logs('localhost', false)[index] }), [])
  }
})

test('an enforcer names adapters that it reaches in the clear', () => {
  const enforcer = { adapters: ['127.0.0.1:18000', 'adapter.example:18000'] }
  assert.deepEqual(exposureWarnings('enforcer', loadYaml(stringify({ enforcer })).config), [
    'enforcer.adapters: adapter.example:18000 is reached without encryption; whoever can write on the wire can restore anything',
  ])
  const discovery = { tls: { enabled: true } }
  assert.deepEqual(settingsOf('enforcer', { enforcer: { ...enforcer, discovery } }), [])
  // It asks only the adapter of its own process.
  assert.deepEqual(settingsOf('all', { enforcer }), [])
})

test('an adapter that speaks TLS is not named, its admin port is', () => {
  const tls = { certFile: '/tls.crt', keyFile: '/tls.key' }
  const adapter = { address: '0.0.0.0:1', adminAddress: '0.0.0.0:2', tls }
  assert.deepEqual(settingsOf('adapter', { adapter }), ['adapter.adminAddress:'])
})

test('what is listened at beyond this machine is named by the part that listens', () => {
  const [address, adminAddress] = ['0.0.0.0:1', '[::]:2']
  const parts = Object.fromEntries(
    ['revoker', 'adapter', 'enforcer'].map(part => [part, { address, adminAddress }]),
  )
  assert.deepEqual(settingsOf('adapter', parts), ['adapter.address:', 'adapter.adminAddress:'])
  assert.equal(settingsOf('all', parts).length, 6)
})
