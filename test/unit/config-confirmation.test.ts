/** The adapters that a revoker asks for confirmations, as they are written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { confirmationOf } from '../../cli/confirmation.ts'
import { loadYaml, problemOf } from '../support/config-files.ts'

const yamlOf = (adapters: readonly string[]) => stringify({ revoker: { confirmation: { adapters } } })

test('adapters are base URLs, with dns+ in front of one that stands for several', () => {
  const adapters = [
    'http://10.0.0.1:18001',
    'https://[::1]/behind',
    'dns+http://adapters:18001',
    'dns+https://adapters',
  ]
  const { config } = loadYaml(yamlOf(adapters))
  const { rememberedMs, own, ...rest } = confirmationOf(config, undefined)
  assert.deepEqual(rest, { adapters, tls: {} })
  assert.deepEqual([rememberedMs, own], [300_000, undefined])
})

for (const adapter of [
  '10.0.0.1:18001',
  'dns+10.0.0.1:18001',
  'dns://adapters',
  'ftp://adapters',
  'http://user:secret@adapters',
  'http://adapters/?a=b',
  'http://',
])
  test(`${adapter} is refused, and what could be a secret is not shown`, () => {
    const problem = problemOf(yamlOf([adapter]))
    assert.match(problem, /revoker\.confirmation\.adapters\[0\].*must be an http:\/\/ or https:\/\/ URL/)
    assert.doesNotMatch(problem, /secret/)
  })
