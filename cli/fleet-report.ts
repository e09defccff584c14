/**
 * The fleets of some adapters as text. No I/O.
 *
 * @module
 */
import type { FleetNode } from '../adapter/fleet-node.ts'
import type { FleetStatus } from '../adapter/fleet-status.ts'
import { printable } from '../runtime/printable.ts'
import { tableLines } from './table.ts'

/** What an adapter answered: its fleet, or why there is none. */
export interface AdapterAnswer {
  /** Base URL. */
  readonly server: string
  readonly fleet?: FleetStatus
  /** Names the server. */
  readonly error?: string
}

const head = ['state', 'instance', 'label', 'peer', 'version', 'behind', 'lag', 'last ACK', 'note']

/** The lines of a report, one part for each adapter. */
export function reportLines(answers: readonly AdapterAnswer[]): string[] {
  const homes = connectedAt(answers)
  return answers.flatMap((answer, index) => [...(index === 0 ? [] : ['']), ...linesOf(answer, homes)])
}

function linesOf({ server, fleet, error }: AdapterAnswer, homes: ReadonlyMap<string, string>): string[] {
  if (fleet === undefined) return [printable(error ?? '')]
  const { nodes, ready, reasons, incomplete } = fleet
  return [
    printable(`${server}: ${summary(fleet)}`),
    ...(ready ? [] : [printable(`serves no new enforcers: ${reasons.join('; ')}`)]),
    ...(incomplete ? ['more enforcers have disconnected than are remembered; some are missing here'] : []),
    ...(nodes.length === 0
      ? []
      : tableLines(
          head,
          nodes.map(node => rowOf(node, homes.get(keyOf(node)))),
        )),
  ]
}

function summary({ version, revocations, logAgeSeconds, counts }: FleetStatus): string {
  const { current, behind, refusing, disconnected } = counts
  const connected = current + behind + refusing
  const states = Object.entries({ behind, refusing, disconnected }).filter(([, count]) => count > 0)
  const logAge = logAgeSeconds === null ? 'the log was not read yet' : `log age ${duration(logAgeSeconds)}`
  return [
    `version ${Math.max(0, version)}, ${count(revocations, 'revocation')}, ${logAge}`,
    [connected === 0 ? 'no enforcer is connected' : `${count(connected, 'enforcer')} connected`]
      .concat(states.map(([state, number]) => `${number} ${state}`))
      .join(', '),
  ].join('; ')
}

function rowOf(node: FleetNode, home: string | undefined): string[] {
  const { ackedVersion, lagVersions, lagSeconds, secondsSinceAck } = node
  const hasMoved = !node.connected && home !== undefined
  return [
    hasMoved ? 'moved' : `${node.state}${node.partial ? ' (partial)' : ''}`,
    node.instance,
    node.label,
    node.identity ?? node.peer,
    ackedVersion < 0 ? 'none' : String(ackedVersion),
    String(lagVersions),
    duration(lagSeconds),
    secondsSinceAck === undefined ? 'never' : `${duration(secondsSinceAck)} ago`,
    hasMoved ? `now at ${home}` : noteOf(node),
  ]
}

function noteOf({ state, sinceSeconds, nackError, lastNack, secondsUntilRetry, streams }: FleetNode): string {
  const notes: string[] = []
  if (state === 'disconnected') notes.push(`left ${duration(sinceSeconds)} ago`)
  if (nackError !== undefined) notes.push(nackError === '' ? 'gave no reason' : nackError)
  else if (lastNack) notes.push(`refused ${duration(lastNack.secondsAgo)} ago: ${lastNack.error}`)
  if (secondsUntilRetry !== undefined) notes.push(`next try in ${duration(secondsUntilRetry)}`)
  if (streams > 1) notes.push(`${streams} streams`)
  return notes.join('; ')
}

/** Where each enforcer that is connected somewhere is connected. */
function connectedAt(answers: readonly AdapterAnswer[]): Map<string, string> {
  const entries = answers.flatMap(({ server, fleet }) =>
    (fleet?.nodes ?? []).filter(node => node.connected).map(node => [keyOf(node), server] as const),
  )
  return new Map(entries)
}

const keyOf = ({ identity, label, instance }: FleetNode): string =>
  JSON.stringify([identity ?? null, label, instance])

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
