/**
 * Compiles a project again and again in this process; each time only what has changed is read, checked and written.
 *
 * @module
 */
import { join } from 'node:path'
import ts from 'typescript'

/** A compiler of one project. */
export interface Compiler {
  /** Says that a file has changed. */
  forget(path: string): void
  /** Compiles. Throws with the first errors that the compiler finds. */
  compile(): void
}

const errorsShown = 3

/** Creates a compiler for the tsconfig.json in a folder. */
export const createCompiler = (folder: string): Compiler => {
  const { config, error } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  if (error !== undefined) throw new Error(text([error]))
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const host = ts.createIncrementalCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  const sources = new Map<string, ts.SourceFile | undefined>()
  host.getSourceFile = (path, ...rest) => {
    if (!sources.has(path)) sources.set(path, read(path, ...rest))
    return sources.get(path)
  }
  let program = ts.readBuilderProgram(options, host)
  return {
    forget: path => sources.delete(path),
    compile() {
      program = ts.createEmitAndSemanticDiagnosticsBuilderProgram(fileNames, options, host, program)
      const problems = [
        ...program.getSyntacticDiagnostics(),
        ...program.getSemanticDiagnostics(),
        ...program.emit().diagnostics,
      ]
      if (problems.length > 0) throw new Error(text(problems))
    },
  }
}

const text = (problems: readonly ts.Diagnostic[]): string =>
  ts.formatDiagnostics(problems.slice(0, errorsShown), {
    getCanonicalFileName: path => path,
    getCurrentDirectory: () => '',
    getNewLine: () => '\n',
  })
