/**
 * Sends requests to a revoker, as many as get answered or at a fixed rate, and prints how long they took. The argument is
 * JSON, see {@link LoadTask}.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { tell } from '../load/program.ts'
import { quantile } from '../statistics.ts'
import { type Connection, openConnection } from './connection.ts'
import { checkAnswer, type RequestKind, requestOf } from './requests.ts'

/** What to send. */
export interface LoadTask {
  readonly kind: RequestKind
  readonly port: number
  /** A token on each line; each is sent once. */
  readonly tokensFile: string
  /** Number of the first token, from 0. */
  readonly first: number
  /** Most tokens to send. */
  readonly count: number
  readonly connections: number
  readonly seconds: number
  /** Without it, as many as get answered. Time counts from when a request should have been sent. */
  readonly perSecond?: number
}

/** What is printed. */
export interface LoadResult {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const task: LoadTask = JSON.parse(process.argv[2] as string)
const requests = readFileSync(task.tokensFile, 'utf8')
  .split('\n')
  .slice(task.first, task.first + task.count)
  .map(token => requestOf(task.kind, token))

const tookMs: number[] = []
let next = 0

const sendOne = async (connection: Connection, request: Buffer, dueAtMs: number) => {
  checkAnswer(task.kind, await connection.send(request))
  tookMs.push(performance.now() - dueAtMs)
}

/** Each connection sends its next request when the last one was answered. */
const sendOn = async (connection: Connection, endMs: number) => {
  for (; performance.now() < endMs && next < requests.length; ) {
    await sendOne(connection, requests[next++] as Buffer, performance.now())
  }
}

/** The same, but no request before it is due; what is due waits for a connection that is free. */
const sendAtRate = async (connection: Connection, startMs: number, perSecond: number) => {
  const last = Math.min(requests.length, task.seconds * perSecond)
  for (let number = next++; number < last; number = next++) {
    const dueAtMs = startMs + (number * 1_000) / perSecond
    while (performance.now() < dueAtMs)
      await new Promise(done => setTimeout(done, dueAtMs - performance.now()))
    await sendOne(connection, requests[number] as Buffer, dueAtMs)
  }
}

const connections = await Promise.all(
  Array.from({ length: task.connections }, () => openConnection(task.port)),
)
const startMs = performance.now()
const endMs = startMs + task.seconds * 1_000
await Promise.all(
  connections.map(connection =>
    task.perSecond === undefined
      ? sendOn(connection, endMs)
      : sendAtRate(connection, startMs, task.perSecond),
  ),
)
const elapsedMs = performance.now() - startMs
for (const connection of connections) connection.close()

const sorted = Float64Array.from(tookMs).sort()
const result: LoadResult = {
  requests: sorted.length,
  requestsPerSecond: (sorted.length * 1_000) / elapsedMs,
  p50Ms: quantile(sorted, 0.5),
  p99Ms: quantile(sorted, 0.99),
}
tell(result)
