/**
 * Asks one enforcer about tokens and remembers what it said: who was rejected once must never be accepted again.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createEnforcerClient, type Decision } from '../support/enforcer-client.ts'
import type { Part } from './world.ts'

/** A token that was to be rejected and was not, or not for the reason that it is revoked. */
export interface Escape {
  readonly enforcer: string
  /** The number of the token. */
  readonly token: number
  /** The version that the enforcer says it has, just afterwards. */
  readonly version: string
  readonly found: string
}

/** The tokens that are asked about. */
export interface WitnessOptions {
  readonly enforcer: Part
  readonly tokens: readonly string[]
  /** Tokens that nobody ever revokes. */
  readonly controls: readonly string[]
  /** Numbers of the tokens whose revocation was acknowledged so far. */
  readonly acknowledged: readonly number[]
  readonly random: () => number
}

/** What was seen of one enforcer. */
export interface Witness {
  readonly enforcer: string
  readonly escapes: readonly Escape[]
  /** Control tokens that were denied: how. */
  readonly deniedControls: readonly string[]
  /** Checks that were answered, and those that were not decided. */
  readonly decided: number
  readonly undecided: number
  /** Tokens that were rejected. */
  readonly rejected: number
  /** Asks on and on about some tokens until {@link stop}. */
  start(): void
  /** Ends that; resolves when the last answers are there. */
  stop(): Promise<void>
  /** Asks about every acknowledged token, which must be rejected, and controls beside them; gives how many checks failed. */
  askAll(): Promise<number>
  close(): void
}

const roundMs = 100
const newestPerRound = 8
const seenPerRound = 6
const controlsPerRound = 2
const askedAtOnce = 64
const revoked = 'revoked'
const accepted = 'accepted'

const verdictOf = ({ code, status, reason }: Decision): string => {
  if (code === 0 && status === 200) return accepted
  return reason ?? `status ${status} without a reason`
}

/** Creates a witness of an enforcer. */
export function createWitness({ enforcer, tokens, controls, acknowledged, random }: WitnessOptions): Witness {
  const client = createEnforcerClient(enforcer.port)
  const escapes: Escape[] = []
  const deniedControls: string[] = []
  const rejectedOnce = new Set<number>()
  const rejectedInOrder: number[] = []
  let [decided, undecided, isStopped, isFinal] = [0, 0, false, false]
  let asking = Promise.resolve()

  /** What the enforcer says of a token; undefined if it does not decide. */
  const ask = async (token: string): Promise<string | undefined> => {
    try {
      const verdict = verdictOf(await client.checkToken(token))
      decided += 1
      return verdict
    } catch {
      undecided += 1
      return undefined
    }
  }

  const askRevoked = async (number: number) => {
    const mustBeRejected = isFinal || rejectedOnce.has(number)
    const verdict = await ask(tokens[number] as string)
    if (verdict === undefined) return
    if (verdict === revoked) {
      if (!rejectedOnce.has(number)) rejectedInOrder.push(number)
      rejectedOnce.add(number)
    } else if (verdict !== accepted || mustBeRejected) {
      const found = `${verdict}${rejectedOnce.has(number) ? ' after it was rejected' : ''}`
      escapes.push({ enforcer: enforcer.name, token: number, version: await versionOf(enforcer), found })
    }
  }

  const askControl = async () => {
    const verdict = await ask(pick(controls, random))
    if (verdict !== undefined && verdict !== accepted) deniedControls.push(`${enforcer.name}: ${verdict}`)
  }

  const round = async () => {
    const newest = acknowledged.slice(-newestPerRound)
    const seen = Array.from({ length: seenPerRound }, () => pick(rejectedInOrder, random))
    const numbers = [...newest, ...(rejectedInOrder.length === 0 ? [] : seen)]
    await Promise.all([
      ...numbers.map(askRevoked),
      ...Array.from({ length: controlsPerRound }, () => askControl()),
    ])
  }

  const askOn = async () => {
    while (!isStopped) await Promise.all([round(), pause(roundMs)])
  }

  return {
    enforcer: enforcer.name,
    escapes,
    deniedControls,
    get decided() {
      return decided
    },
    get undecided() {
      return undecided
    },
    get rejected() {
      return rejectedOnce.size
    },
    start: () => {
      asking = askOn()
    },
    stop: () => {
      isStopped = true
      return asking
    },
    askAll: async () => {
      isFinal = true
      const before = undecided
      for (let at = 0; at < acknowledged.length; at += askedAtOnce) {
        await Promise.all([...acknowledged.slice(at, at + askedAtOnce).map(askRevoked), askControl()])
      }
      return undecided - before
    },
    close: () => client.close(),
  }
}

const pick = <Item>(items: readonly Item[], random: () => number): Item =>
  items[Math.floor(random() * items.length)] as Item

async function versionOf({ adminPort }: Part): Promise<string> {
  try {
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
    return /^rescind_enforcer_version (\S+)$/m.exec(metrics)?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
