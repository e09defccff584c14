/** The token registry is configured completely, and feeders report only to one, of issuers that are known. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { exposureWarnings } from '../../cli/exposure.ts'
import { loadYaml, problemOf, someHash } from '../support/config-files.ts'
import { projectRoot } from '../support/project.ts'

const issuer = 'https://idp.example.com'
const feeder = { name: 'idp', hash: someHash, issuers: [issuer] }
const yaml = (grants: object, revoker: object = {}): string =>
  stringify({ issuers: [{ issuer }], revoker: { grants, ...revoker } })

test('without settings there is no registry', () => {
  const { store, folder, redis, feeders } = loadYaml('').config.revoker.grants
  assert.deepEqual(
    [store, folder, redis.prefix, feeders],
    ['none', './rescind-data/grants', 'rescind-grants', []],
  )
})

test('a feeder without a registry, with an unknown issuer or with the name of another is refused', () => {
  assert.match(problemOf(yaml({ feeders: [feeder] })), /revoker\.grants\.store: must be lmdb or redis/)
  const unknown = { ...feeder, issuers: ['https://other.example'] }
  assert.match(
    problemOf(yaml({ store: 'lmdb', feeders: [unknown] })),
    /revoker\.grants\.feeders\[0\]\.issuers\[0\]: is not the issuer of any/,
  )
  assert.match(
    problemOf(yaml({ store: 'redis', feeders: [feeder, feeder] })),
    /revoker\.grants\.feeders\[1\]\.name: is the same as revoker\.grants\.feeders\[0\]\.name/,
  )
  loadYaml(yaml({ store: 'lmdb', feeders: [feeder] }))
})

test('an inbox takes issued tokens only where there is a registry', () => {
  const inbox = [{ name: 'in', redis: { stream: 's' }, formats: ['tokens-issued'], issuers: [issuer] }]
  assert.match(
    problemOf(yaml({}, { inbox })),
    /revoker\.inbox\[0\]\.formats: has tokens-issued, which needs the token registry/,
  )
  loadYaml(yaml({ store: 'redis' }, { inbox }))
})

test('a Redis with grants that is reached in the clear is named, where it is used', () => {
  const redis = { url: 'redis://example.com' }
  const settings = (store: string) =>
    exposureWarnings('revoker', loadYaml(yaml({ store, redis })).config).join('\n')
  assert.match(settings('redis'), /^revoker\.grants\.redis\.url: Redis is reached without encryption/m)
  assert.doesNotMatch(settings('lmdb'), /grants/)
})

test('the examples of docs/revoker.md are valid', () => {
  const document = readFileSync(join(projectRoot, 'docs', 'revoker.md'), 'utf8')
  const examples = [...document.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text as string)
  const stores = examples
    .filter(text => text.includes('grants:'))
    .map(text => loadYaml(text).config.revoker.grants.store)
  assert.deepEqual(stores, ['lmdb', 'redis'])
})
