/**
 * Programs of a benchmark that are told what to do while they run: a command is an HTTP request, JSON in and out.
 *
 * @module
 */
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Child } from '../../test/support/child.ts'
import { until } from '../../test/support/condition.ts'

/** What a program can be told, by name; each command takes one object and gives one. */
export type Commands = Readonly<Record<string, (argument: never) => object | Promise<object>>>

/** Tells a program; rejects with the program's own message if that fails there. */
export type Control<Told extends Commands> = <Name extends keyof Told & string>(
  name: Name,
  argument: Parameters<Told[Name]>[0],
) => Promise<Awaited<ReturnType<Told[Name]>>>

/** Between the last connection and the end of a process. */
const endTimeoutMs = 5_000

/** Takes commands until the process ends, which SIGTERM asks for. Resolves to the port. */
export const serveControl = async (commands: Commands): Promise<number> => {
  // Orderly, so that a profiler in this process writes what it has seen.
  process.once('SIGTERM', () => process.exit(0))
  const server = createServer(async (incoming, response) => {
    try {
      const result = await run(commands, incoming)
      response.end(JSON.stringify({ result }))
    } catch (error) {
      response.end(JSON.stringify({ error: (error as Error).message }))
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

const run = async (commands: Commands, incoming: IncomingMessage): Promise<object> => {
  const command = commands[(incoming.url ?? '').slice(1)] as ((argument: unknown) => object) | undefined
  if (command === undefined) throw new Error(`no such command: ${incoming.url}`)
  return command(await json(incoming))
}

/** The control that a program serves on a port; when the program has ended, commands reject with what it wrote. */
export const createControl =
  <Told extends Commands>(port: number, child: Child): Control<Told> =>
  async (name, argument) => {
    const answer = await send(port, name, argument).catch(async (error: Error) => {
      throw new Error(await whyUnanswered(name, child), { cause: error })
    })
    const { result, error } = answer as { result: never; error?: string }
    if (error === undefined) return result
    throw new Error(`${name}: ${error}`)
  }

/** No agent: a connection that was kept open may be closed by the other side in the same moment. */
const send = async (port: number, name: string, argument: object): Promise<unknown> => {
  const answer = await new Promise<IncomingMessage>((done, fail) => {
    request({ host: '127.0.0.1', port, path: `/${name}`, method: 'POST', agent: false }, done)
      .on('error', fail)
      .end(JSON.stringify(argument))
  })
  return json(answer)
}

const whyUnanswered = async (name: string, child: Child): Promise<string> => {
  await until('the program has ended', () => child.exitCode !== undefined, { timeoutMs: endTimeoutMs })
  return `${name}: the program has ended: ${child.output()}`
}
