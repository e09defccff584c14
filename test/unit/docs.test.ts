/** The documents tell the truth where a machine can check it: error codes, links, commands. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { projectRoot } from '../support/project.ts'

const productFolders = [
  'revocation',
  'event-log',
  'token',
  'runtime',
  'revoker',
  'adapter',
  'enforcer',
  'cli',
]

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')

const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith(ending))
    .map(file => join(folder, file))

const codesIn = (text: string): Set<string> => new Set(text.match(/\bERR_[A-Z_]+\b/g))

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...filesBelow('docs', '.md'),
]

test('docs/errors.md lists exactly the error codes of the product', () => {
  const used = codesIn(productFolders.flatMap(folder => filesBelow(folder, '.ts').map(read)).join('\n'))
  assert.deepEqual([...codesIn(read('docs/errors.md'))].sort(), [...used].sort())
})

describe('the links of each document lead to files that exist', () => {
  for (const document of documents) {
    test(document, () => {
      const targets = [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(
        ([, target]) => target as string,
      )
      for (const target of targets.filter(link => !/^https?:/.test(link))) {
        assert.ok(existsSync(join(projectRoot, dirname(document), target)), `${document} links to ${target}`)
      }
    })
  }
})

test('every npm command in the documents is a script of package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = documents.flatMap(document =>
    [...read(document).matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name),
  )
  assert.ok(named.length > 0)
  for (const name of named) assert.ok(scripts[name as string] !== undefined, `npm run ${name}`)
})

test('every dependency has its reason in docs/dependencies.md', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const names = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})]
  const reasons = read('docs/dependencies.md')
  for (const name of names.filter(dependency => !dependency.startsWith('@types/'))) {
    assert.ok(reasons.includes(`| ${name} |`), name)
  }
})
