/** The published JSON Schema of rescind.yaml. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import Schema from 'typebox/schema'
import { parse } from 'yaml'
import { publishedSchema } from '../../runtime/config/json-schema.ts'
import { withReference } from '../../runtime/config/reference.ts'
import { configSchema } from '../../runtime/config/schema.ts'
import { formatPath, isLeaf, type SchemaNode } from '../../runtime/config/schema-tree.ts'
import { allSettings } from '../../runtime/config/variable-names.ts'

test('rescind.schema.json is what the code says', () => {
  const file = new URL('../../../rescind.schema.json', import.meta.url)
  const committed = JSON.stringify(JSON.parse(readFileSync(file, 'utf8')))
  assert.ok(
    committed === JSON.stringify(publishedSchema()),
    'rescind.schema.json is stale; renew it: npm run build && node runtime/config/write-schema.mjs',
  )
})

test('the table of settings in docs/configuration.md is that of the schema in the code', () => {
  const document = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  assert.ok(
    document === withReference(document),
    'docs/configuration.md is stale; renew it: npm run build && node runtime/config/write-schema.mjs',
  )
})

test('every setting explains itself, and every single value says what it must be', () => {
  for (const { path, node } of allSettings(configSchema as SchemaNode)) {
    assert.ok(node.description, `${formatPath(path)} has no description`)
    if (isLeaf(node)) assert.match(node.errorMessage ?? '', /^must be /, formatPath(path))
  }
})

test('an editor asks only for what has no default, and finds unknown settings', () => {
  const validator = Schema.Compile(JSON.parse(JSON.stringify(publishedSchema())))
  const accepts = (yaml: string) => validator.Check(parse(yaml))
  assert.ok(accepts('{}'))
  assert.ok(accepts('issuers: [{issuer: "https://a"}]\nenforcer: {drainDelay: 1s}'))
  assert.ok(!accepts('issuers: [{}]'))
  assert.ok(!accepts('enforcer: {drainDelay: 1}'))
  assert.ok(!accepts('enforcer: {drain: 1s}'))
})
