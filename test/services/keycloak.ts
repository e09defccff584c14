/**
 * Keycloak, which comes as an archive from Maven Central and is built once for a database in memory, so that nothing is
 * written to its folder afterwards.
 *
 * @module
 */
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { type Component, ComponentUnavailable, findOnPath, isExecutable } from './component.ts'
import { installFolder, servicesFolder } from './folder.ts'

const timeoutMs = 600_000

/** The component; its path is `kc.sh`. */
export const keycloakComponent = (version: string): Component => {
  const folder = `keycloak-${version}`
  const program = join('bin', 'kc.sh')
  return {
    name: 'keycloak',
    find() {
      const path = join(servicesFolder(), folder, program)
      return isExecutable(path) && findOnPath('java') !== undefined ? path : undefined
    },
    async bring(progress) {
      if (findOnPath('java') === undefined || findOnPath('mvn') === undefined)
        throw new ComponentUnavailable('needs Java 17 and Maven (Debian: openjdk-17-jre-headless, maven)')
      const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`
      try {
        await installFolder(folder, async target => {
          progress(`downloading ${artifact} by Maven (147 MB)`)
          const unpack = ['dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`]
          await runCommand('mvn', ['--quiet', '--batch-mode', ...unpack], { timeoutMs })
          progress('building it for a database in memory')
          await runCommand('sh', ['-c', 'mv "$0"/* "$1" && rmdir "$0"', join(target, folder), target], {
            timeoutMs,
          })
          await runCommand(join(target, program), ['build', '--db=dev-mem'], { timeoutMs })
        })
      } catch (error) {
        throw new ComponentUnavailable(
          `${artifact} could not be fetched by Maven and built: ${(error as Error).message}; try again with network`,
          { cause: error },
        )
      }
    },
  }
}
