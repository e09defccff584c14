/**
 * The body of a request to the revocation endpoint: a form (RFC 7009 section 2.1).
 *
 * @module
 */

/** Parameters, each at most once. */
export interface Form {
  /** As it came. */
  readonly text: string
  /** A parameter; undefined if it is missing or empty, which is the same (RFC 6749 section 3.2). */
  get(name: string): string | undefined
}

const parametersLimit = 32
/** Characters of a name in an answer. */
const shownLimit = 40

/** Reads a form; a text that says what is wrong with it otherwise. */
export function readForm(text: string): Form | string {
  const parameters = [...new URLSearchParams(text)]
  if (parameters.length > parametersLimit) return 'too many parameters'
  const values = new Map(parameters)
  if (values.size < parameters.length) return `the parameter ${repeatedIn(parameters)} is repeated`
  return { text, get: name => values.get(name) || undefined }
}

function repeatedIn(parameters: readonly (readonly [string, string])[]): string {
  const names = parameters.map(([name]) => name)
  const [repeated = ''] = names.filter((name, index) => names.indexOf(name) < index)
  return repeated.slice(0, shownLimit)
}
