/**
 * The table of settings in docs/configuration.md, written from the schema.
 *
 * @module
 */
import { configSchema } from './schema.ts'
import { formatPath, isLeaf, type SchemaNode } from './schema-tree.ts'
import { allSettings, variableName } from './variable-names.ts'

/** Lines between which the table stands in the document. */
export const referenceMarkers = {
  begin: '<!-- settings: written by runtime/config/write-schema.mjs -->',
  end: '<!-- end of settings -->',
} as const

/** The document with its table renewed. Throws if it has no markers. */
export function withReference(document: string): string {
  const [before, rest] = document.split(referenceMarkers.begin)
  const after = rest?.split(referenceMarkers.end)[1]
  if (before === undefined || after === undefined)
    throw new Error('docs/configuration.md has lost its markers')
  return `${before}${referenceMarkers.begin}\n\n${referenceTable()}\n\n${referenceMarkers.end}${after}`
}

function referenceTable(): string {
  const rows = [...allSettings(configSchema as SchemaNode)]
    .filter(({ path, node }) => (node.items ? isLeaf(node.items) : isLeaf(node) && path.at(-1) !== 0))
    .map(({ path, node }) => [
      `\`${formatPath(path).replaceAll('[0]', '[]')}\``,
      defaultText(node.default),
      `\`${variableName(path)}\``,
      cell(node.description ?? ''),
    ])
  return [
    ['setting', 'default', 'environment variable', 'what it does'],
    ['---', '---', '---', '---'],
    ...rows,
  ]
    .map(columns => `| ${columns.join(' | ')} |`)
    .join('\n')
}

function defaultText(value: unknown): string {
  if (value === undefined) return ''
  return Array.isArray(value) ? `\`[${value.join(', ')}]\`` : `\`${String(value)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
