/**
 * The body of a request to the revocation endpoint: a form (RFC 7009 section 2.1).
 *
 * @module
 */

/** Parameters, each at most once. */
export interface Form {
  /** All of them as they were understood here, encoded anew: whoever reads this cannot understand anything else. */
  readonly text: string
  /** A parameter; undefined if it is missing or empty, which is the same (RFC 6749 section 3.2). */
  get(name: string): string | undefined
}

const parametersLimit = 32
/** Characters of a name in an answer. */
const shownLimit = 40

/** Names that every reader of forms takes as they stand. */
const plainName = /^[\w.-]+$/

/**
 * Reads a form; a text that says what is wrong with it otherwise. Names that others could take for the same are the same.
 */
export function readForm(text: string): Form | string {
  const parameters = [...new URLSearchParams(text)]
  if (parameters.length > parametersLimit) return 'too many parameters'
  const names = parameters.map(([name]) => name)
  if (!names.every(name => plainName.test(name)))
    return 'the name of a parameter has other characters than letters, digits, . _ -'
  const known = names.map(name => name.toLowerCase())
  const repeated = names.find((_, index) => known.indexOf(known[index] as string) < index)
  if (repeated !== undefined) return `the parameter ${repeated.slice(0, shownLimit)} is repeated`
  const values = new Map(parameters)
  return { text: new URLSearchParams(parameters).toString(), get: name => values.get(name) || undefined }
}

const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i

/** Whether a Content-Type is that of a form in UTF-8, as which it is read. */
export const isUtf8 = (contentType: string | undefined): boolean =>
  /^(utf-?8)?$/i.test(charset.exec(contentType ?? '')?.[1] ?? '')
