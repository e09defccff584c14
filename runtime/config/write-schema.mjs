// Writes rescind.schema.json and the table in docs/configuration.md from the schema in the code. Run after a build:
//   npm run build && node runtime/config/write-schema.mjs
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publishedSchema } from '../../dist/runtime/config/json-schema.js'
import { withReference } from '../../dist/runtime/config/reference.js'

const fileAt = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const document = fileAt('docs/configuration.md')
writeFileSync(document, withReference(readFileSync(document, 'utf8')))

const schema = fileAt('rescind.schema.json')
writeFileSync(schema, `${JSON.stringify(publishedSchema(), null, 2)}\n`)
const run = spawnSync(fileAt('node_modules/.bin/biome'), ['format', '--write', schema], { stdio: 'inherit' })
process.exitCode = run.status ?? 1
