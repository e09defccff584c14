/** Loading and validating rescind.yaml. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { RescindError } from '../../revocation/error.ts'
import { loadConfig } from '../../runtime/config/load.ts'
import { fileReader, loadYaml, messageOf, problemOf } from '../support/config-files.ts'

test('without a file and variables there are the defaults', () => {
  const { config, warnings, file } = loadConfig({ env: {}, readFile: fileReader({}) })
  assert.equal(file, undefined)
  assert.deepEqual(warnings, [])
  assert.deepEqual(config.log, { level: 'info', format: 'auto' })
  assert.deepEqual(config.issuers, [])
  assert.deepEqual(config.tokens, {
    clockTolerance: '30s',
    maxTokenLifetime: '30d',
    maxClockDifference: '5m',
  })
  const { redis, kafka, ...eventLog } = config.eventLog
  assert.deepEqual(eventLog, { driver: 'embedded', folder: './rescind-data/log', appendTimeout: '5s' })
  assert.equal(redis.url, 'redis://127.0.0.1:6379')
  assert.deepEqual([kafka.brokers, kafka.topic], [['127.0.0.1:9092'], 'rescind.revocations'])
  const { eventHub, grants, ...revoker } = config.revoker
  assert.equal(grants.store, 'none')
  assert.deepEqual(eventHub.brokers, [])
  assert.deepEqual(revoker, {
    address: '127.0.0.1:8280',
    adminAddress: '127.0.0.1:8281',
    confirmation: { adapters: [], tls: {} },
    inbox: [],
    tenantDomain: 'carbon.super',
    clients: [],
    corsOrigins: [],
    limits: { failuresPerMinute: 30, requestsPerSecond: 1_000 },
    relay: {
      folder: './rescind-data/relay',
      introspection: {},
      preset: 'generic',
      revokeAnyway: false,
      timeout: '5s',
      tls: {},
    },
    responseHeaders: 'wso2',
    tls: { address: '127.0.0.1:9443' },
    trustedProxies: [],
    admin: { tokens: [], certificates: [] },
    maxRevocations: 5_000_000,
  })
  assert.deepEqual(config.adapter, {
    address: '127.0.0.1:18000',
    adminAddress: '127.0.0.1:18001',
    tls: {},
    streamMaxAge: '30m',
    maxStreams: 10_000,
  })
  assert.deepEqual(config.enforcer, {
    address: '127.0.0.1:8081',
    adminAddress: '127.0.0.1:8082',
    adapters: ['127.0.0.1:18000'],
    discovery: { protocol: 'delta', readyAfter: '5s', tls: { enabled: false } },
    label: 'commonEnforcerLabel',
    whenNotReady: 'fail-closed',
    maxStaleness: '5m',
    whenStale: 'last-known',
    drainDelay: '5s',
    errorStyle: 'wso2',
    tokenCache: { entries: 100_000, size: '128MiB' },
    snapshot: { saveEvery: '1m', useAfter: '10s' },
    maxRevocations: 50_000_000,
  })
})

test('what the file says replaces the defaults and leaves the others', () => {
  const { config, file } = loadYaml(`
log: {level: debug}
issuers:
  - issuer: https://idp.example.com
    audiences: [orders]
enforcer:
  address: unix:/run/rescind.sock
  adapters: ['[::1]:18000', adapter:18000]
`)
  assert.equal(file, 'rescind.yaml')
  assert.deepEqual(config.log, { level: 'debug', format: 'auto' })
  assert.deepEqual(config.issuers, [
    {
      issuer: 'https://idp.example.com',
      audiences: ['orders'],
      algorithms: [
        'RS256',
        'RS384',
        'RS512',
        'PS256',
        'PS384',
        'PS512',
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
      ],
      jwksRefresh: '5m',
      jwksMaxAge: '1h',
    },
  ])
  assert.equal(config.enforcer.address, 'unix:/run/rescind.sock')
  assert.deepEqual(config.enforcer.adapters, ['[::1]:18000', 'adapter:18000'])
  assert.equal(config.enforcer.drainDelay, '5s')
})

test('an empty file and empty sections are the defaults', () => {
  const none = loadConfig({ env: {}, readFile: fileReader({}) }).config
  assert.deepEqual(loadYaml('').config, none)
  assert.deepEqual(loadYaml('# nothing yet\n').config, none)
  assert.deepEqual(loadYaml('revoker:\nenforcer:\n  address:\n').config, none)
})

test('two configurations share no lists', () => {
  const one = loadYaml('').config
  one.enforcer.adapters.push('127.0.0.1:1')
  one.issuers.length = 0
  assert.deepEqual(loadYaml('').config.enforcer.adapters, ['127.0.0.1:18000'])
})

test('an anchor that is used twice gives two independent values', () => {
  const { config } = loadYaml(
    `issuers: [{issuer: 'https://a', audiences: &a [x]}, {issuer: 'https://b', audiences: *a}]`,
    { RESCIND_ISSUERS_0_AUDIENCES_0: 'y' },
  )
  assert.deepEqual(
    config.issuers.map(({ audiences }) => audiences),
    [['y'], ['x']],
  )
})

test('a wrong value is one line: where, what it must be, an example, what it was', () => {
  assert.equal(
    problemOf('adapter: {address: 8081}'),
    'rescind.yaml: adapter.address: must be host:port, for example 127.0.0.1:18000 (was 8081)',
  )
  assert.equal(
    problemOf('enforcer: {drainDelay: 5000}'),
    'rescind.yaml: enforcer.drainDelay: must be a duration from 0s to 5m, for example 5s (was 5000)',
  )
  assert.equal(
    problemOf('log: {level: verbose}'),
    'rescind.yaml: log.level: must be one of trace, debug, info, warn, error, fatal (was verbose)',
  )
  assert.equal(
    problemOf('enforcer: {tokenCache: {entries: many}}'),
    'rescind.yaml: enforcer.tokenCache.entries: must be a whole number from 1 to 10000000 (was many)',
  )
  assert.equal(
    problemOf('enforcer: {label: 12}'),
    'rescind.yaml: enforcer.label: must be a label; put it in quotes (was 12)',
  )
  assert.equal(problemOf('issuers: {}'), 'rescind.yaml: issuers: must be a list')
  assert.equal(problemOf('log: info'), 'rescind.yaml: log: must be a mapping of settings (key: value)')
  assert.equal(problemOf('- a'), 'rescind.yaml: must be a mapping of settings (key: value)')
})

test('values out of range are refused', () => {
  for (const [yaml, path] of [
    ['tokens: {clockTolerance: 6m}', 'tokens.clockTolerance'],
    ['tokens: {maxTokenLifetime: 3s}', 'tokens.maxTokenLifetime'],
    ['enforcer: {tokenCache: {size: 1B}}', 'enforcer.tokenCache.size'],
    ['enforcer: {adapters: []}', 'enforcer.adapters'],
    ['enforcer: {adapters: [a:1, a:1]}', 'enforcer.adapters'],
    ['enforcer: {adapters: [a:0]}', 'enforcer.adapters[0]'],
    ['revoker: {address: "unix:/a"}', 'revoker.address'],
    ['revoker: {maxRevocations: 0}', 'revoker.maxRevocations'],
    ['revoker: {maxRevocations: 1.5}', 'revoker.maxRevocations'],
    ['revoker: {tenantDomain: "a\\r\\nb"}', 'revoker.tenantDomain'],
    ['eventLog: {driver: files}', 'eventLog.driver'],
    ['eventLog: {key: too-short}', 'eventLog.key'],
    ["eventLog: {redis: {url: 'redis://:secret@redis'}}", 'eventLog.redis.url'],
    ['eventLog: {folder: ""}', 'eventLog.folder'],
  ] as const) {
    assert.ok(problemOf(yaml).startsWith(`rescind.yaml: ${path}: must `), problemOf(yaml))
  }
  assert.match(
    problemOf(`enforcer: {adapters: [${Array.from({ length: 17 }, (_, i) => `a:${i + 1}`)}]}`),
    /not have more than 16 elements$/,
  )
})

test('an unknown setting is an error that names the setting that was probably meant', () => {
  assert.equal(
    problemOf('enforcer: {drain_delay: 5s}'),
    'rescind.yaml: enforcer.drain_delay: unknown setting; did you mean drainDelay?',
  )
  assert.equal(problemOf('enforcr: {}'), 'rescind.yaml: enforcr: unknown setting; did you mean enforcer?')
  assert.equal(
    problemOf('log: {colour: red}'),
    'rescind.yaml: log.colour: unknown setting; known are level, format',
  )
  assert.match(problemOf('__proto__: {admin: true}'), /^rescind.yaml: __proto__: unknown setting/)
  assert.match(problemOf('log: {"a\\nb": 1}'), /^rescind.yaml: log."a\\nb": unknown setting/)
})

test('algorithms without a public key are refused, and the error says why', () => {
  for (const algorithm of ['none', 'HS256', 'hs512', 'RS1']) {
    const message = problemOf(`issuers: [{issuer: 'https://a', algorithms: [RS256, ${algorithm}]}]`)
    assert.match(
      message,
      /^rescind.yaml: issuers\[0\].algorithms\[1\]: must be one of RS256, .*none and HS\* are never accepted/,
    )
  }
  assert.match(
    problemOf(`issuers: [{issuer: 'https://a', algorithms: []}]`),
    /algorithms: must have at least 1 element$/,
  )
})

test('all problems come together, at most 20 of them', () => {
  const lines = problemOf('log: {level: x, format: y}\nadapter: {address: z, zz: 1}').split('\n')
  assert.equal(lines[0], '4 problems in the configuration:')
  assert.deepEqual(
    lines
      .slice(1)
      .map(line => line.split(': ')[1])
      .sort(),
    ['adapter.address', 'adapter.zz', 'log.format', 'log.level'],
  )
  const many = problemOf(`issuers: [${Array.from({ length: 60 }, () => '{issuer: 1}')}]`).split('\n')
  assert.equal(many.length, 22)
  assert.equal(many[0], '60 problems in the configuration:')
  assert.equal(many.at(-1), '  and 40 more')
})

test('text that is not YAML is one line with file, line and column', () => {
  assert.equal(problemOf('log:\n\tlevel: info'), 'rescind.yaml:2:1: a tab cannot indent; use spaces')
  assert.equal(problemOf('log: {}\nlog: {}'), 'rescind.yaml:2:1: this key is there twice')
  assert.match(problemOf('log: [1'), /^rescind\.yaml:1:\d+: /)
  assert.equal(problemOf('log: *x'), 'rescind.yaml:1:6: this alias (*) names no anchor (&) before it')
  assert.equal(problemOf('log: !include x'), 'rescind.yaml:1:6: tags (!...) are not supported')
  assert.match(problemOf('--- {}\n--- {}'), /^rescind\.yaml:2:1: there must be only one document/)
})

test('nesting, aliases and size of the file have limits', () => {
  assert.equal(problemOf(`log: ${'['.repeat(40)}${']'.repeat(40)}`), 'rescind.yaml: nested too deeply')
  assert.match(problemOf(`${'['.repeat(20_000)}`), /^rescind\.yaml:1:\d+: nested too deeply$/)
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`)}]`)
  assert.equal(problemOf(bomb.join('\n')), 'rescind.yaml: too many aliases (*)')
  const large = messageOf(() => loadYaml(`# ${'x'.repeat(1_048_576)}`), 'ERR_CONFIG_UNREADABLE')
  assert.equal(large, 'rescind.yaml is larger than 1024 KiB')
})

test('whatever the file holds, the error is ours and has no stack in its message', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'grapheme' })), text => {
      try {
        loadYaml(text)
      } catch (error) {
        assert.ok(error instanceof RescindError, String(error))
        assert.doesNotMatch(error.message, /\n\s+at /)
      }
    }),
    { numRuns: 500 },
  )
})

test('a file that was named and cannot be read is an error, from the real file system', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-config-'))
  try {
    const missing = join(folder, 'missing.yaml')
    const message = messageOf(() => loadConfig({ file: missing, env: {} }), 'ERR_CONFIG_UNREADABLE')
    assert.equal(message, `${missing} cannot be read: there is no such file`)
    assert.match(
      messageOf(() => loadConfig({ file: folder, env: {} }), 'ERR_CONFIG_UNREADABLE'),
      /it is a folder$/,
    )
    const binary = join(folder, 'binary.yaml')
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]))
    assert.match(
      messageOf(() => loadConfig({ file: binary, env: {} }), 'ERR_CONFIG_UNREADABLE'),
      /is not UTF-8 text$/,
    )
    const good = join(folder, 'good.yaml')
    writeFileSync(good, 'log: {level: warn}\n')
    assert.equal(loadConfig({ file: good, env: {} }).config.log.level, 'warn')
    assert.equal(loadConfig({ env: { RESCIND_CONFIG: good } }).config.log.level, 'warn')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
