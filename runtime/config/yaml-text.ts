/**
 * YAML text to plain values, with limits, and errors that say where but never repeat the text (it may hold
 * secrets).
 *
 * @module
 */
import { type Document, type ErrorCode, isAlias, LineCounter, parseDocument, visit } from 'yaml'

/** No configuration file, and no value that is given as YAML text, may be longer. */
export const yamlLimitBytes = 1_048_576

/** Mappings and lists may be nested this deep. */
const depthLimit = 32

/** How often aliases may be expanded, counted as the yaml package does. */
const aliasLimit = 100

/** What was wrong with a text, and where; lines and columns count from 1, 0 when unknown. */
export interface YamlProblem {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** The value of a text, or what was wrong with it. */
export type YamlResult = { readonly value: unknown } | { readonly problem: YamlProblem }

const messages: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'this alias is not valid',
  BAD_DIRECTIVE: 'this directive (%) is not known',
  BAD_DQ_ESCAPE: 'this escape sequence is not valid in double quotes; use single quotes',
  BAD_INDENT: 'the indentation or a closing bracket is wrong',
  BAD_SCALAR_START: 'text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on one line; put text that contains ": " in quotes',
  BLOCK_IN_FLOW: 'an indented block cannot be inside brackets',
  DUPLICATE_KEY: 'this key is there twice',
  KEY_OVER_1024_CHARS: 'this key is too long',
  MISSING_CHAR: 'a character is missing here, such as ":", a closing quote or a bracket',
  MULTILINE_IMPLICIT_KEY: 'this key goes over several lines; is a ":" missing?',
  MULTIPLE_DOCS: 'there must be only one document (no second ---)',
  NON_STRING_KEY: 'keys must be text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!...) are not supported',
}

/** Parses one YAML 1.2 (or JSON) document. Keys without a value, and empty texts, are left out of the result. */
export function parseYaml(text: string): YamlResult {
  if (Buffer.byteLength(text) > yamlLimitBytes) return failure(0, 0, 'is larger than 1 MiB')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    return failureAt(lines, error.pos[0], messages[error.code] ?? 'this is not valid YAML here')
  }
  try {
    return { value: withoutEmpty(document.toJS({ maxAliasCount: aliasLimit }), 0) }
  } catch (thrown) {
    return expansionProblem(document, lines, thrown)
  }
}

function expansionProblem(document: Document, lines: LineCounter, thrown: unknown): YamlResult {
  const reason = thrown instanceof Error ? thrown.message : ''
  if (reason.startsWith('Unresolved alias')) {
    return failureAt(lines, unresolvedAlias(document), 'this alias (*) names no anchor (&) before it')
  }
  return failure(0, 0, reason.startsWith('Excessive alias') ? 'too many aliases (*)' : 'nested too deeply')
}

/** Offset of the first alias without an anchor. */
function unresolvedAlias(document: Document): number {
  let offset = 0
  visit(document, {
    Alias(_, alias) {
      if (isAlias(alias) && alias.resolve(document) !== undefined) return undefined
      offset = alias.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return offset
}

function failureAt(lines: LineCounter, offset: number, message: string): YamlResult {
  const { line, col } = lines.linePos(offset)
  return failure(line, col, message)
}

function failure(line: number, column: number, message: string): YamlResult {
  return { problem: { line, column, message } }
}

/** A copy without shared parts (aliases) and without keys whose value is null. */
function withoutEmpty(value: unknown, depth: number): unknown {
  if (depth > depthLimit) throw new RangeError('nested too deeply')
  if (Array.isArray(value)) return value.map(item => withoutEmpty(item, depth + 1))
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const entries = Object.entries(value).filter(([, child]) => child !== null)
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutEmpty(child, depth + 1)]))
}
