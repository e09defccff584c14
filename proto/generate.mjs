// Generates the TypeScript types of the .proto files into proto/generated and copies the .proto files to
// dist/proto, where the built product loads them. Does nothing when both are newer than their sources.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const protoFolder = dirname(fileURLToPath(import.meta.url))
const distFolder = join(protoFolder, '..', 'dist', 'proto')
const generatedFolder = join(protoFolder, 'generated')
const stamp = join(distFolder, '.generated')

const sources = readdirSync(protoFolder, { recursive: true }).filter(file => file.endsWith('.proto'))
const newest = Math.max(
  ...[...sources, 'generate.mjs'].map(file => statSync(join(protoFolder, file)).mtimeMs),
)

if (!existsSync(generatedFolder) || !existsSync(stamp) || statSync(stamp).mtimeMs < newest) {
  rmSync(generatedFolder, { recursive: true, force: true })
  const generator = join(protoFolder, '..', 'node_modules', '.bin', 'proto-loader-gen-types')
  const options = ['--longs=Number', '--enums=String', '--defaults', '--arrays', '--objects', '--oneofs']
  const output = ['--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts', `--outDir=${generatedFolder}`]
  const run = spawnSync(generator, [...options, ...output, '-I', protoFolder, '--', ...sources], {
    encoding: 'utf8',
  })
  if (run.status !== 0) {
    process.stderr.write(`proto-loader-gen-types failed:\n${run.stdout}${run.stderr}`)
    process.exit(1)
  }
  for (const file of sources) cpSync(join(protoFolder, file), join(distFolder, file))
  writeFileSync(stamp, '')
}
