/** Rules between settings of rescind.yaml, and what its errors may show. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadYaml, problemOf, someHash } from '../support/config-files.ts'
import { projectRoot } from '../support/project.ts'

const issuers = (...names: string[]) => `issuers: [${names.map(name => `{issuer: "${name}"}`)}]\n`
const clients = (...entries: string[]) =>
  `revoker: {clients: [${entries.map(entry => `{secretHash: "${someHash}", ${entry}}`)}]}\n`

test('an issuer is configured once, and one that is no URL needs a jwksUri', () => {
  assert.match(
    problemOf(issuers('https://a', 'https://a')),
    /issuers\[1\].issuer: is the same as issuers\[0\].issuer/,
  )
  assert.match(
    problemOf(issuers('accounts')),
    /issuers\[0\].jwksUri: is missing: the issuer is not an http\(s\) URL/,
  )
  const { config } = loadYaml('issuers: [{issuer: accounts, jwksUri: "https://a/jwks"}]')
  assert.equal(config.issuers[0]?.jwksUri, 'https://a/jwks')
  assert.match(
    problemOf('issuers: [{issuer: "https://a", jwksMaxAge: 1m}]'),
    /jwksMaxAge: must not be less than jwksRefresh, 5m/,
  )
})

test('a client may leave out its issuer only when exactly one is configured', () => {
  assert.equal(loadYaml(issuers('https://a') + clients('id: one')).config.revoker.clients[0]?.id, 'one')
  assert.match(problemOf(clients('id: one')), /revoker.clients\[0\].issuer: is missing: .*\(there are 0\)$/)
  assert.match(
    problemOf(issuers('https://a', 'https://b') + clients('id: one')),
    /issuer: is missing: .*\(there are 2\)$/,
  )
  assert.match(
    problemOf(issuers('https://a') + clients('id: one, issuer: "https://c"')),
    /clients\[0\].issuer: is not the issuer of any/,
  )
})

test('a client is configured once for an issuer', () => {
  const same = issuers('https://a') + clients('id: one', 'id: one, issuer: "https://a"')
  assert.match(
    problemOf(same),
    /revoker.clients\[1\].id: is the same as revoker.clients\[0\].id for the same issuer/,
  )
  const two =
    issuers('https://a', 'https://b') +
    clients('id: one, issuer: "https://a"', 'id: one, issuer: "https://b"')
  assert.equal(loadYaml(two).config.revoker.clients.length, 2)
})

test('a client proves itself in exactly one way', () => {
  const client = (fields: string) =>
    problemOf(`${issuers('https://a')}revoker: {clients: [{id: one, ${fields}}]}`)
  const onlyOne = /clients\[0\]: must have exactly one of secretHash, jwksUri, jwksFile and public: true/
  assert.match(client(''), onlyOne)
  assert.match(client(`secretHash: "${someHash}", public: true`), onlyOne)
  assert.match(client('jwksUri: "https://c/jwks", jwksFile: keys.json'), onlyOne)
  const { config } = loadYaml(`${issuers('https://a')}revoker: {clients: [{id: one, public: true}]}`)
  assert.equal(config.revoker.clients[0]?.public, true)
})

test('HTTPS needs certificate and key', () => {
  assert.match(problemOf('revoker: {tls: {clientCaFile: ca.pem}}'), /revoker.tls.certFile: is missing/)
  assert.match(problemOf('revoker: {tls: {certFile: c.pem}}'), /revoker.tls.keyFile: is missing/)
})

test('two tokens of administrators have two names', () => {
  const token = `{name: ops, hash: "${someHash}"}`
  assert.match(
    problemOf(`revoker: {admin: {tokens: [${token}, ${token}]}}`),
    /tokens\[1\].name: is the same as/,
  )
})

test('an enforcer above the values of the adapter in the same file is refused', () => {
  assert.equal(
    problemOf('tokens: {clockTolerance: 10s}\nenforcer: {clockTolerance: 20s}'),
    'rescind.yaml: enforcer.clockTolerance: must not be more than tokens.clockTolerance, 10s (was 20s)',
  )
  assert.match(
    problemOf('tokens: {maxTokenLifetime: 1d}\nenforcer: {maxTokenLifetime: 25h}'),
    /must not be more than tokens.maxTokenLifetime/,
  )
  assert.equal(
    loadYaml('tokens: {clockTolerance: 20s}\nenforcer: {clockTolerance: 20000ms}').config.enforcer
      .clockTolerance,
    '20000ms',
  )
  assert.equal(loadYaml('enforcer: {clockTolerance: 1m}').config.enforcer.clockTolerance, '1m')
})

test('TLS for discovery needs certificate and key together, and mTLS needs TLS', () => {
  assert.equal(
    problemOf('adapter: {tls: {certFile: /a}}'),
    'rescind.yaml: adapter.tls.keyFile: is missing: certFile needs it',
  )
  assert.match(problemOf('adapter: {tls: {keyFile: /a}}'), /adapter\.tls\.certFile: is missing: keyFile/)
  assert.match(
    problemOf('adapter: {tls: {clientCaFile: /a}}'),
    /adapter\.tls\.certFile: is missing: clientCaFile has no effect without TLS/,
  )
  const own = (settings: string) => `enforcer: {discovery: {tls: {${settings}}}}`
  assert.match(problemOf(own('enabled: true, certFile: /a')), /discovery\.tls\.keyFile: is missing: certFile/)
  assert.match(
    problemOf(own('caFile: /a')),
    /discovery\.tls\.enabled: must be true: caFile is set, which has no effect without TLS/,
  )
  const whole = 'certFile: /a, keyFile: /b'
  const { config } = loadYaml(
    `adapter: {tls: {${whole}, clientCaFile: /c}}\n${own(`enabled: true, caFile: /c, serverName: a, ${whole}`)}`,
  )
  assert.equal(config.adapter.tls.clientCaFile, '/c')
  assert.equal(config.enforcer.discovery.tls.serverName, 'a')
})

test('the examples of docs/configuration.md are valid', () => {
  const document = readFileSync(join(projectRoot, 'docs', 'configuration.md'), 'utf8')
  const examples = [...document.matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, text]) => (text as string).replaceAll('$scrypt$ln=15,r=8,p=1$...', someHash))
    .filter(text => !text.startsWith('# yaml-language-server'))
  const [, ofAdapter, ofEnforcer] = examples.map(text => loadYaml(text).config)
  assert.equal(examples.length, 3)
  assert.equal(ofAdapter?.adapter.tls.clientCaFile, '/tls/ca.crt')
  assert.equal(ofEnforcer?.enforcer.discovery.tls.enabled, true)
})

test('rules between settings are reported with other problems, unless their own section is broken', () => {
  const message = problemOf(`${issuers('https://a', 'https://a')}adapter: {address: x}`)
  assert.match(message, /^2 problems[\s\S]*adapter.address[\s\S]*issuers\[1\].issuer/)
  assert.doesNotMatch(problemOf(`${issuers('https://a', 'https://a', '')}`), /is the same/)
})

test('the hash of a secret must have the right shape', () => {
  const good = [someHash, `$scrypt$ln=16,r=32,p=16$${'a'.repeat(22)}$${'b'.repeat(86)}`]
  for (const hash of good) {
    const { config } = loadYaml(`revoker: {admin: {tokens: [{name: ops, hash: "${hash}"}]}}`)
    assert.equal(config.revoker.admin.tokens[0]?.hash, hash)
  }
  const costs = [
    'ln=9,r=8,p=1',
    'ln=17,r=8,p=1',
    'ln=15,r=33,p=1',
    'ln=15,r=0,p=1',
    'ln=15,r=8,p=17',
    'r=8,ln=15,p=1',
  ]
  const bad = [
    ...costs.map(cost => someHash.replace('ln=15,r=8,p=1', cost)),
    'plain',
    `${someHash}\n`,
    `x${someHash}`,
    `${someHash}=`,
  ]
  for (const hash of bad) {
    const message = problemOf(`revoker: {admin: {tokens: [{name: ops, hash: ${JSON.stringify(hash)}}]}}`)
    assert.match(message, /tokens\[0\].hash: must be a hash \$scrypt\$/, hash)
  }
})

test('no error holds the value of a secret', () => {
  const secret = 'hunter2hunter2'
  const messages = [
    problemOf(`revoker: {clients: [{id: a, secretHash: ${secret}}]}`),
    problemOf(`revoker: {clients: ${secret}}`),
    problemOf(`revoker: {clients: [${secret}]}`),
    problemOf(`revoker: {clients: [{id: a, secret: ${secret}}]}`),
    problemOf(`revoker: {clients: [{id: a, secretHash: "${secret}]}`),
    problemOf(`revoker: {clients: [{id: a, secretHash: ${secret}: ${secret}}]}`),
    problemOf(`revoker:\n  clients: ${secret}\n\t- ${secret}`),
    problemOf(`revoker: {clients: [{id: a, secretHash: !x ${secret}}]}`),
    problemOf(`revoker: {clients: [{id: a, secretHash: *${secret}}]}`),
    problemOf(`issuers: [{issuer: 'https://a', jwksUri: 'https://me:${secret}@a/jwks'}]`),
    problemOf(`issuers: [{issuer: 'https://a', jwksUri: 'a?password=${secret}'}]`),
    problemOf(`eventLog: {redis: {url: 'redis://:${secret}'}}`),
    problemOf(`eventLog: {redis: {url: 'redis:${secret}@a'}}`),
    problemOf(`eventLog: {kafka: {brokers: ['me:${secret}@a:9092']}}`),
    problemOf(`revoker: {eventHub: {brokers: ['amqp://me:${secret}@hub'], username: a, password: b}}`),
    problemOf('', { RESCIND_REVOKER_CLIENTS_0_SECRET_HASH: secret }),
    problemOf('', { RESCIND_REVOKER_CLIENTS_0_SECRET_HASH_FILE: secret }),
    problemOf('', { RESCIND_REVOKER_CLIENTS: `[{secretHash: "${secret}` }),
    problemOf('', { RESCIND_REVOKER_ADMIN_TOKENS: `[{hash: ${secret}}]` }),
  ]
  for (const message of messages) assert.doesNotMatch(message, /hunter2/)
})

test('access tokens of administrators are of a configured issuer, for an audience and with a scope of their own', () => {
  const jwt = (fields: string) => `${issuers('https://a')}revoker: {admin: {jwt: {${fields}}}}`
  assert.match(
    problemOf(jwt('issuer: "https://b", audience: admin, scope: s')),
    /revoker.admin.jwt.issuer: is not the issuer of any of the configured issuers/,
  )
  assert.match(problemOf(jwt('issuer: "https://a", scope: s')), /revoker.admin.jwt.audience: is missing/)
  assert.match(problemOf(jwt('issuer: "https://a", audience: a, scope: "s t"')), /jwt.scope: must be a scope/)
  const { config } = loadYaml(jwt('issuer: "https://a", audience: admin, scope: s'))
  assert.equal(config.revoker.admin.jwt?.audience, 'admin')
})

test('certificates of administrators need an authority by which they are asked for', () => {
  assert.match(
    problemOf('revoker: {admin: {certificates: ["dns:ops"]}}'),
    /revoker.admin.certificates: has no effect without revoker.tls.clientCaFile/,
  )
  assert.match(
    problemOf('revoker: {admin: {certificates: [ops]}}'),
    /revoker.admin.certificates\[0\]: must be a name in a certificate with its kind/,
  )
})
