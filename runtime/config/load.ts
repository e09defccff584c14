/**
 * Loads the configuration: `rescind.yaml`, overridden by environment variables, completed by defaults, checked.
 *
 * @module
 */
import { Clone, Default } from 'typebox/value'
import { RescindError } from '../../revocation/error.ts'
import { crossProblems } from './cross-checks.ts'
import { applyOverrides, type Environment, type Override, readEnvironment } from './environment.ts'
import { type Config, configSchema } from './schema.ts'
import { formatPath, type Path, type SchemaNode } from './schema-tree.ts'
import { type ReadBytes, readBytes, readTextFile } from './text-file.ts'
import { type Problem, schemaProblems } from './validate.ts'
import { parseYaml, yamlLimitBytes } from './yaml-text.ts'

/** The file that is read when none is named, if it is there. */
export const defaultConfigFile = 'rescind.yaml'

/** Where the configuration comes from. */
export interface LoadConfigOptions {
  /** Path of the YAML file; default: RESCIND_CONFIG, else `./rescind.yaml` if there is one. */
  readonly file?: string
  readonly env: Environment
  /** Reads the first bytes of a file; default: from the file system. */
  readonly readFile?: ReadBytes
}

/** The configuration, and what should be told to the person who started the process. */
export interface LoadedConfig {
  readonly config: Config
  /** One line each: variables with our prefix that are not settings. */
  readonly warnings: readonly string[]
  /** The file that was read; undefined: defaults and environment only. */
  readonly file: string | undefined
}

const problemsLimit = 20

/**
 * Loads, overrides, completes and checks the configuration.
 *
 * @example const { config, warnings } = loadConfig({ file: 'rescind.yaml', env: process.env })
 * @throws RescindError ERR_CONFIG_UNREADABLE when the file cannot be read
 * @throws RescindError ERR_CONFIG_INVALID with one line for each problem, at most 20
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const read = options.readFile ?? readBytes
  const { tree, file } = readTree(options.file ?? (options.env.RESCIND_CONFIG || undefined), read)
  const environment = readEnvironment(configSchema as SchemaNode, options.env, read)
  const gaps = applyOverrides(tree, environment.overrides)
  const given = Clone(tree)
  const config = Default(configSchema, tree) as Config
  const found = schemaProblems(configSchema, config)
  const line = (problem: Problem) => problemLine(problem, file, environment.overrides)
  const problems = [
    ...environment.problems,
    ...gaps,
    ...[...found, ...crossProblems(config, given, found)].map(line),
  ]
  if (problems.length > 0) throw invalidConfig(problems)
  return { config, warnings: environment.warnings, file }
}

function readTree(named: string | undefined, read: ReadBytes) {
  const file = named ?? defaultConfigFile
  const text = readConfigFile(file, named === undefined, read)
  if (text === undefined) return { tree: {}, file: undefined }
  const result = parseYaml(text)
  if ('problem' in result) {
    const { line, column, message } = result.problem
    throw invalidConfig([`${file}:${line > 0 ? `${line}:${column}:` : ''} ${message}`])
  }
  const tree = result.value ?? {}
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    throw invalidConfig([`${file}: must be a mapping of settings (key: value)`])
  }
  return { tree: tree as Record<string, unknown>, file }
}

function readConfigFile(file: string, optional: boolean, read: ReadBytes): string | undefined {
  try {
    return readTextFile(file, yamlLimitBytes, read)
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    const cause = error.cause as NodeJS.ErrnoException | undefined
    if (optional && cause?.code === 'ENOENT') return undefined
    throw new RescindError(error.code, `${file} ${error.message}`, { cause: error })
  }
}

/** `<file or variable>: <setting>: <what is wrong>`. */
function problemLine({ path, message }: Problem, file: string | undefined, overrides: readonly Override[]) {
  const source = overrides.findLast(override => startsWith(path, override.path))
  return [source?.name ?? file ?? 'configuration', formatPath(path), message]
    .filter(part => part !== '')
    .join(': ')
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, depth) => path[depth] === key)
}

function invalidConfig(problems: readonly string[]): RescindError {
  const [first = '', ...others] = problems
  if (others.length === 0) return new RescindError('ERR_CONFIG_INVALID', first)
  const shown = problems.slice(0, problemsLimit)
  const more = problems.length - shown.length
  const lines = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map(line => `\n  ${line}`)
  return new RescindError(
    'ERR_CONFIG_INVALID',
    `${problems.length} problems in the configuration:${lines.join('')}`,
  )
}
