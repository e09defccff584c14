/** Settings from environment variables and from files that they name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../runtime/config/schema.ts'
import type { SchemaNode } from '../../runtime/config/schema-tree.ts'
import {
  allSettings,
  allVariableNames,
  findSetting,
  isServiceLink,
  variableName,
} from '../../runtime/config/variable-names.ts'
import { loadYaml, someHash } from '../support/config-files.ts'

const schema = configSchema as SchemaNode

test('a variable is named after the path of its setting', () => {
  assert.equal(variableName(['enforcer', 'drainDelay']), 'RESCIND_ENFORCER_DRAIN_DELAY')
  assert.equal(variableName(['revoker', 'clients', 0, 'secretHash']), 'RESCIND_REVOKER_CLIENTS_0_SECRET_HASH')
  assert.equal(variableName(['issuers', 12, 'jwksUri']), 'RESCIND_ISSUERS_12_JWKS_URI')
})

test('no two settings have the same variable', () => {
  const names = [...allVariableNames(schema)]
  assert.ok(names.length > 60)
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted())
})

test('every setting is found by its variable', () => {
  for (const { path } of allSettings(schema)) {
    assert.deepEqual(findSetting(schema, variableName(path))?.path, path)
  }
})

test('the names of no setting look like those that Kubernetes injects for services', () => {
  const names = [...allVariableNames(schema)]
  assert.deepEqual(
    names.filter(name => isServiceLink(name, 'tcp://10.0.0.1:18000')),
    [],
  )
})

test('settings in a union are found too', () => {
  const union: SchemaNode = {
    properties: {
      log: { anyOf: [{ type: 'string' }, { type: 'object', properties: { maxAge: { type: 'string' } } }] },
    },
  }
  assert.deepEqual(findSetting(union, 'RESCIND_LOG_MAX_AGE')?.path, ['log', 'maxAge'])
  assert.deepEqual(findSetting(union, 'RESCIND_LOG')?.path, ['log'])
  assert.equal(findSetting(union, 'RESCIND_LOG_MAX'), undefined)
  assert.equal(findSetting(union, 'RESCIND_LOGMAX_AGE'), undefined)
})

test('a variable overrides the file, of any type', () => {
  const { config, warnings } = loadYaml(
    'log: {level: debug}\nenforcer: {drainDelay: 1s, label: blue}\nissuers: [{issuer: "https://a"}]',
    {
      RESCIND_ENFORCER_DRAIN_DELAY: '7s',
      RESCIND_ENFORCER_TOKEN_CACHE_ENTRIES: '5',
      RESCIND_ISSUERS_0_AUDIENCES_0: '12',
      RESCIND_ISSUERS_1_ISSUER: 'https://b',
      RESCIND_ENFORCER_INSTANCE: 'true',
    },
  )
  assert.equal(config.enforcer.drainDelay, '7s')
  assert.equal(config.enforcer.label, 'blue')
  assert.equal(config.enforcer.tokenCache.entries, 5)
  assert.equal(config.enforcer.instance, 'true')
  assert.deepEqual(config.issuers[0]?.audiences, ['12'])
  assert.deepEqual(
    config.issuers.map(({ issuer, jwksRefresh }) => [issuer, jwksRefresh]),
    [
      ['https://a', '5m'],
      ['https://b', '5m'],
    ],
  )
  assert.deepEqual(warnings, [])
})

test('a whole list or mapping comes as JSON or YAML, and its elements can be overridden', () => {
  const { config } = loadYaml('issuers: [{issuer: "https://file"}]', {
    RESCIND_ISSUERS_0_JWKS_REFRESH: '9m',
    RESCIND_ISSUERS: '[{"issuer":"https://a"},{"issuer":"https://b"}]',
    RESCIND_LOG: 'level: warn',
    RESCIND_ENFORCER_ADAPTERS: '[a:1, b:2]',
  })
  assert.deepEqual(
    config.issuers.map(({ issuer, jwksRefresh }) => [issuer, jwksRefresh]),
    [
      ['https://a', '9m'],
      ['https://b', '5m'],
    ],
  )
  assert.equal(config.log.level, 'warn')
  assert.deepEqual(config.enforcer.adapters, ['a:1', 'b:2'])
})

test('an empty variable counts as not set', () => {
  const { config } = loadYaml('log: {level: debug}', {
    RESCIND_LOG_LEVEL: '',
    RESCIND_ISSUERS: '',
    RESCIND_CONFIG: '',
  })
  assert.equal(config.log.level, 'debug')
})

test('a wrong value is reported with the name of the variable', () => {
  assert.throws(() => loadYaml('', { RESCIND_ADAPTER_ADDRESS: '8081' }), {
    message:
      'RESCIND_ADAPTER_ADDRESS: adapter.address: must be host:port, for example 127.0.0.1:18000 (was 8081)',
  })
  assert.throws(() => loadYaml('', { RESCIND_ADAPTER_MAX_STREAMS: '1e3' }), {
    message:
      'RESCIND_ADAPTER_MAX_STREAMS: adapter.maxStreams: must be a whole number from 1 to 100000 (was 1e3)',
  })
  assert.throws(() => loadYaml('', { RESCIND_ISSUERS: '[{"issuer":1}]' }), {
    message: /^RESCIND_ISSUERS: issuers\[0\].issuer: must be the exact "iss" value/,
  })
  assert.throws(() => loadYaml('', { RESCIND_ISSUERS: '[{' }), {
    message: /^RESCIND_ISSUERS: must be YAML or JSON: 1:\d: /,
  })
})

test('list elements are numbered without gaps, and a huge number costs nothing', () => {
  const message =
    /^RESCIND_ENFORCER_ADAPTERS_\d+: there is no element 1 before it: number list elements from 0$/
  const env = { RESCIND_ENFORCER_ADAPTERS_0: 'a:1' }
  assert.throws(() => loadYaml('', { ...env, RESCIND_ENFORCER_ADAPTERS_2: 'a:2' }), { message })
  assert.throws(() => loadYaml('', { ...env, RESCIND_ENFORCER_ADAPTERS_999999: 'a:2' }), { message })
  const eleven = Object.fromEntries(
    Array.from({ length: 11 }, (_, i) => [`RESCIND_ENFORCER_ADAPTERS_${i}`, `a:${i + 1}`]),
  )
  assert.equal(loadYaml('', eleven).config.enforcer.adapters.at(-1), 'a:11')
})

test('an override of a section that the file has wrong reports the file', () => {
  assert.throws(() => loadYaml('log: 5', { RESCIND_LOG_LEVEL: 'info' }), {
    message: 'rescind.yaml: log: must be a mapping of settings (key: value)',
  })
})

test('a value comes from a file without its last newline', () => {
  const env = {
    RESCIND_REVOKER_ADMIN_TOKENS_0_NAME: 'ops',
    RESCIND_REVOKER_ADMIN_TOKENS_0_HASH_FILE: '/run/secrets/hash',
    RESCIND_REVOKER_MAX_REVOCATIONS_FILE: '/run/limit',
  }
  const { config } = loadYaml('', env, { '/run/secrets/hash': `${someHash}\n`, '/run/limit': '7\r\n' })
  assert.deepEqual(config.revoker.admin.tokens, [{ name: 'ops', hash: someHash }])
  assert.equal(config.revoker.maxRevocations, 7)
  assert.throws(() => loadYaml('', env, { '/run/secrets/hash': `${someHash}\n\n`, '/run/limit': '7' }), {
    message: /TOKENS_0_HASH_FILE: revoker.admin.tokens\[0\].hash: must be a hash/,
  })
})

test('a file that cannot be read, is too large, or stands beside the plain variable is an error', () => {
  assert.throws(() => loadYaml('', { RESCIND_ENFORCER_LABEL_FILE: '/none' }), {
    message: 'RESCIND_ENFORCER_LABEL_FILE: /none cannot be read: there is no such file',
  })
  assert.throws(() => loadYaml('', { RESCIND_ENFORCER_LABEL_FILE: '/big' }, { '/big': 'x'.repeat(65_537) }), {
    message: 'RESCIND_ENFORCER_LABEL_FILE: /big is larger than 64 KiB',
  })
  const both = { RESCIND_ENFORCER_LABEL_FILE: '/a', RESCIND_ENFORCER_LABEL: 'b' }
  assert.throws(() => loadYaml('', both, { '/a': 'a' }), {
    message: 'RESCIND_ENFORCER_LABEL_FILE: RESCIND_ENFORCER_LABEL is set too; set only one of them',
  })
})

test('only single values come from files', () => {
  const { warnings } = loadYaml('', { RESCIND_LOG_FILE: '/var/log/rescind.log' })
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /^RESCIND_LOG_FILE is not a setting and has no effect/)
})

test('the variables that Kubernetes injects for services named rescind... are no settings and no warnings', () => {
  const { config, warnings } = loadYaml('', {
    RESCIND_SERVICE_HOST: '10.0.0.1',
    RESCIND_SERVICE_PORT: '18000',
    RESCIND_SERVICE_PORT_GRPC_DISCOVERY: '18000',
    RESCIND_PORT: 'tcp://10.0.0.1:18000',
    RESCIND_PORT_18000_TCP: 'tcp://10.0.0.1:18000',
    RESCIND_ADAPTER_SERVICE_HOST: '10.0.0.1',
    RESCIND_ADAPTER_PORT: 'tcp://10.0.0.1:18000',
    RESCIND_ADAPTER_PORT_18000_TCP: 'tcp://10.0.0.1:18000',
    RESCIND_ADAPTER_PORT_18000_TCP_PROTO: 'tcp',
    RESCIND_ADAPTER_PORT_18000_TCP_PORT: '18000',
    RESCIND_ADAPTER_PORT_18000_TCP_ADDR: '10.0.0.1',
    RESCIND_ENFORCER_PORT_53_UDP_ADDR: '10.0.0.1',
    RESCIND_REVOKER_ADDRESS_PORT: 'tcp://10.0.0.1:1',
  })
  assert.deepEqual(warnings, [])
  assert.deepEqual(config, loadYaml('').config)
})

test('other variables with our prefix are warnings that do not show their value', () => {
  const { warnings } = loadYaml('', {
    RESCIND_ENFORCER_DRAINDELAY: 'hunter2',
    RESCIND_ADAPTER_PORT: '18000',
    RESCIND_ENFORCER_ADAPTERS_00: 'a:1',
    RESCIND_REQUIRE_SERVICES: '1',
    RESCIND_ADMIN_TOKEN: 'hunter2',
    RESCIND_ADMIN_TOKEN_FILE: '/run/token',
    RESCIND_SERVER: 'http://127.0.0.1:8280',
    RESCINDED: 'yes',
    PATH: '/bin',
  })
  assert.deepEqual(
    warnings.map(warning => warning.split(' ')[0]),
    ['RESCIND_ENFORCER_DRAINDELAY', 'RESCIND_ADAPTER_PORT', 'RESCIND_ENFORCER_ADAPTERS_00'],
  )
  assert.match(warnings[0] ?? '', /\(did you mean RESCIND_ENFORCER_DRAIN_DELAY\?\)$/)
  assert.doesNotMatch(warnings.join(), /hunter2/)
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`RESCIND_NONSENSE_${i}`, 'x']))
  assert.equal(loadYaml('', many).warnings.length, 21)
})
