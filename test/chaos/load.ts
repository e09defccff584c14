/**
 * Revocations at a steady rate (RFC 7009), spread over the revokers, and what became of each.
 *
 * @module
 */
import { Agent, request } from 'node:http'
import { revocationRequest } from '../support/revoking.ts'
import { testClient } from '../support/stack.ts'
import type { Outage } from './victim.ts'
import type { Part } from './world.ts'

/** What is revoked, where, and how fast. */
export interface LoadOptions {
  readonly revokers: readonly Part[]
  readonly tokens: readonly string[]
  /** Per second. */
  readonly rate: number
}

/** Revocations under way. */
export interface Load {
  /** How many were sent. */
  readonly sent: number
  /** The tokens that were acknowledged with a 200, by number, in that order. */
  readonly acknowledged: readonly number[]
  /** How often each answer came; 0 is none at all. */
  readonly answers: ReadonlyMap<number, number>
  /** Of the requests that were never under way during an outage, the share that was acknowledged. */
  acknowledgedShare(outages: readonly Outage[]): number
  /** Sends no more; resolves when all are answered. Rejects if there were too few tokens. */
  stop(): Promise<void>
}

interface Request {
  readonly fromMs: number
  toMs: number
  acknowledged: boolean
}

const tickMs = 5
/** What may be sent at once after a delay, so that the rate holds, seconds. */
const burstSeconds = 0.1
const underWayLimit = 250
const timeoutMs = 15_000
const ok = 200

/** Starts to revoke the tokens, one after the other. */
export function startLoad({ revokers, tokens, rate }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true })
  const requests: Request[] = []
  const acknowledged: number[] = []
  const answers = new Map<number, number>()
  const underWay = new Set<Promise<void>>()
  let credit = 0
  let beforeMs = performance.now()

  const attempt = async (number: number, at: number): Promise<boolean> => {
    const { port } = revokers[at % revokers.length] as Part
    const status = await revoke(agent, port, tokens[number] as string)
    answers.set(status, (answers.get(status) ?? 0) + 1)
    return status === ok
  }

  /** Tries it once more at the next revoker, or where there is only one when that is back. */
  const again = async (number: number): Promise<boolean> => {
    if (revokers.length === 1) await revokers[0]?.node.whenUp()
    return attempt(number, number + 1)
  }

  const send = async (number: number) => {
    const sent: Request = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY, acknowledged: false }
    requests.push(sent)
    sent.acknowledged = (await attempt(number, number)) || (await again(number))
    sent.toMs = performance.now()
    if (sent.acknowledged) acknowledged.push(number)
  }

  const tick = () => {
    const nowMs = performance.now()
    credit = Math.min(credit + ((nowMs - beforeMs) * rate) / 1_000, rate * burstSeconds)
    beforeMs = nowMs
    for (; credit >= 1 && underWay.size < underWayLimit && requests.length < tokens.length; credit -= 1) {
      const sending = send(requests.length).finally(() => underWay.delete(sending))
      underWay.add(sending)
    }
  }
  const ticking = setInterval(tick, tickMs)

  return {
    get sent() {
      return requests.length
    },
    acknowledged,
    answers,
    acknowledgedShare: outages => {
      const counted = requests.filter(each => !outages.some(outage => overlap(each, outage)))
      return counted.filter(each => each.acknowledged).length / counted.length
    },
    stop: async () => {
      clearInterval(ticking)
      await Promise.all(underWay)
      agent.destroy()
      if (requests.length === tokens.length) throw new Error('there were too few tokens for the load')
    },
  }
}

const overlap = (one: Outage, other: Outage): boolean => one.fromMs <= other.toMs && other.fromMs <= one.toMs

/** Revokes a token; the status of the answer, 0 if there is none. */
const revoke = (agent: Agent, port: number, token: string): Promise<number> =>
  new Promise(done => {
    const { options, body } = revocationRequest(port, testClient, token)
    const sent = request({ agent, timeout: timeoutMs, ...options }, response => {
      response.resume().on('close', () => done(response.statusCode ?? 0))
    })
    sent.on('timeout', () => sent.destroy()).on('error', () => done(0))
    sent.end(body)
  })
