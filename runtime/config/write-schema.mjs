// Writes rescind.schema.json from the schema in the code. Run after a build:
//   npm run build && node runtime/config/write-schema.mjs
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publishedSchema } from '../../dist/runtime/config/json-schema.js'

const rootFolder = new URL('../../', import.meta.url)
const file = fileURLToPath(new URL('rescind.schema.json', rootFolder))
const biome = fileURLToPath(new URL('node_modules/.bin/biome', rootFolder))
writeFileSync(file, `${JSON.stringify(publishedSchema(), null, 2)}\n`)
const run = spawnSync(biome, ['format', '--write', file], { stdio: 'inherit' })
process.exitCode = run.status ?? 1
