/**
 * Revokes tokens over HTTP (RFC 7009) at a fixed rate, however long the answers take, and prints when it sent each
 * request. A revoker that cannot keep up has 500 requests under way; the time of those that then wait counts from when
 * they should have been sent. The argument is JSON, see {@link SenderTask}.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { revocationRequest } from '../../test/support/revoking.ts'
import { testClient } from '../../test/support/stack.ts'
import { clockMs } from '../load/clock.ts'
import { tell } from '../load/program.ts'

/** What to send. */
export interface SenderTask {
  readonly port: number
  /** A token on each line. */
  readonly tokensFile: string
  /** Number of the first token, from 0. */
  readonly first: number
  readonly count: number
  readonly perSecond: number
}

/** What is printed. */
export interface SenderResult {
  /** When each request was sent, or should have been, in their order, see `clockMs`. */
  readonly sentAtMs: readonly number[]
  /** When it was answered. */
  readonly answeredAtMs: readonly number[]
}

const { port, tokensFile, first, count, perSecond }: SenderTask = JSON.parse(process.argv[2] as string)
const tokens = readFileSync(tokensFile, 'utf8')
  .split('\n')
  .slice(first, first + count)
const underWayLimit = 500
const agent = new Agent({ keepAlive: true })
const sentAtMs: number[] = []
const answeredAtMs: number[] = []

const revoke = (number: number): Promise<void> =>
  new Promise((done, fail) => {
    const { options, body } = revocationRequest(port, testClient, tokens[number] as string)
    const sent = request({ agent, ...options }, response => {
      answeredAtMs[number] = clockMs()
      if (response.statusCode !== 200)
        fail(new Error(`a revocation was answered with ${response.statusCode}`))
      response.resume().on('end', done)
    })
    const unanswered = (error: Error) =>
      fail(new Error(`a revocation was not answered: ${error.message}`, { cause: error }))
    sent.on('error', unanswered).end(body)
  })

/** Sends whatever is due by now; if this process was late for it, its time counts from when it is sent. */
const sendAll = (): Promise<void> =>
  new Promise((done, fail) => {
    const startMs = performance.now()
    let sent = 0
    let underWay = 0
    const send = () => {
      while (sent < sentAtMs.length && underWay < underWayLimit) {
        underWay += 1
        revoke(sent++).then(answered, fail)
      }
    }
    const answered = () => {
      underWay -= 1
      send()
      if (sent === count && underWay === 0) done()
    }
    const ticking = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - startMs) * perSecond) / 1_000))
      while (sentAtMs.length < due) sentAtMs.push(clockMs())
      send()
      if (due === count) clearInterval(ticking)
    }, 1)
  })

await sendAll()
agent.destroy()
const result: SenderResult = { sentAtMs, answeredAtMs }
tell(result)
