/**
 * Components that come as jars from Maven Central, with all that they depend on, and run on this machine's Java.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { type Component, ComponentUnavailable, findOnPath } from './component.ts'
import { installFolder, servicesFolder } from './folder.ts'

const timeoutMs = 600_000

/** What to fetch. */
export interface MavenOptions {
  readonly name: string
  /** `group:artifact:version` of each; their dependencies come with them. */
  readonly artifacts: readonly string[]
  /** The folder's name in `.services`. */
  readonly folder: string
}

/** A component whose path is the folder of its jars; run it by `java -cp 'FOLDER/*' MAIN_CLASS`. */
export const mavenComponent = (options: MavenOptions): Component => ({
  name: options.name,
  find() {
    const jars = join(servicesFolder(), options.folder)
    return existsSync(jars) && findOnPath('java') !== undefined ? jars : undefined
  },
  async bring(progress) {
    if (findOnPath('java') === undefined || findOnPath('mvn') === undefined)
      throw new ComponentUnavailable('needs Java 17 and Maven (Debian: openjdk-17-jre-headless, maven)')
    try {
      await installFolder(options.folder, folder => copyJars(options.artifacts, folder, progress))
    } catch (error) {
      throw new ComponentUnavailable(
        `${options.artifacts[0]} could not be fetched by Maven: ${(error as Error).message}; try again with network`,
        { cause: error },
      )
    }
  },
})

async function copyJars(
  artifacts: readonly string[],
  folder: string,
  progress: (step: string) => void,
): Promise<void> {
  const project = join(folder, 'pom.xml')
  writeFileSync(project, mavenProject(artifacts))
  progress(`downloading ${artifacts[0]} by Maven`)
  const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  await runCommand('mvn', ['--quiet', '--batch-mode', '--file', project, ...copy], { timeoutMs })
}

/** A project that needs these artifacts, as the content of a pom.xml. */
export const mavenProject = (artifacts: readonly string[]): string => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.rescind</groupId>
  <artifactId>services</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>${artifacts.map(dependencyOf).join('')}</dependencies>
</project>
`

function dependencyOf(artifact: string): string {
  const [group, name, version] = artifact.split(':')
  return `
    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
}
