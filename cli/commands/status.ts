/**
 * `rescind status`: which version each enforcer has, as the adapters know it.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { RescindError } from '../../revocation/error.ts'
import { fetchJson } from '../../token/fetch-json.ts'
import { systemTiming } from '../../token/timing.ts'
import { type AdapterAnswer, reportLines } from '../fleet-report.ts'

/** Options of the command. */
export interface StatusOptions {
  /** Base URLs of admin ports of adapters. */
  readonly server: readonly string[]
  readonly watch?: boolean
  readonly json?: boolean
}

const answerLimitMs = 10_000
const answerLimitBytes = 64 * 2 ** 20
const watchPauseMs = 1_000

const toStart = '\u001b[H'
const eraseScreen = `${toStart}\u001b[2J`
const eraseRestOfLine = '\u001b[K'
const eraseBelow = '\u001b[J'

/**
 * Prints what the adapters say: once, or again and again until the process is stopped. With `json` each answer is a line
 * of JSON.
 *
 * @throws RescindError ERR_REQUEST_FAILED if an adapter did not answer, after the others were shown; not while watching.
 */
export async function status({ server, watch = false, json = false }: StatusOptions): Promise<void> {
  const urls = server.map(nodesUrl)
  const ask = () => Promise.all(urls.map((url, index) => askAdapter(url, server[index] as string)))
  if (watch) {
    await watchForever(ask, json)
    return
  }
  const answers = await ask()
  const errors = answers.flatMap(({ error }) => error ?? [])
  const shown = answers.filter(({ error }) => error === undefined)
  process.stdout.write(json ? jsonLines(shown) : textOf(reportLines(shown)))
  if (errors.length > 0) throw failed(errors.join('; '))
}

async function watchForever(ask: () => Promise<readonly AdapterAnswer[]>, json: boolean): Promise<void> {
  const { stdout } = process
  const inPlace = stdout.isTTY === true && !json
  if (inPlace) stdout.write(eraseScreen)
  for (;;) {
    const answers = await ask()
    const time = new Date().toISOString().replace(/\.\d+/, '')
    if (json) stdout.write(jsonLines(answers))
    else if (inPlace) stdout.write(screenOf([time, ...reportLines(answers)], stdout))
    else stdout.write(textOf([time, ...reportLines(answers), '']))
    await pause(watchPauseMs)
  }
}

/** What replaces the screen: no line is wider, and no more lines are there, than fit. */
export function screenOf(lines: readonly string[], { rows, columns }: { rows: number; columns: number }) {
  const room = Math.max(2, rows - 1)
  const fitting =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `... and ${lines.length - room + 1} lines more`]
  const text = fitting.map(line => `${line.slice(0, columns)}${eraseRestOfLine}\n`).join('')
  return `${toStart}${text}${eraseBelow}`
}

const textOf = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

const jsonLines = (answers: readonly AdapterAnswer[]): string =>
  textOf(answers.map(({ server, fleet, error }) => JSON.stringify({ server, error, ...fleet })))

async function askAdapter(url: URL, server: string): Promise<AdapterAnswer> {
  const options = {
    fetch,
    timing: systemTiming,
    timeoutMs: answerLimitMs,
    limitBytes: answerLimitBytes,
    signal: new AbortController().signal,
  }
  try {
    const answer = await fetchJson(url, options)
    const fleet = answer.found ? answer.document : undefined
    return isFleet(fleet) ? { server, fleet } : { server, error: `${server} is not ${whatItShouldBe}` }
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    return { server, error: `no answer from ${error.message}; name ${whatItShouldBe} with --server` }
  }
}

const whatItShouldBe = 'the admin port of a running adapter (its adapter.adminAddress)'

/** Whether it looks like the answer of an adapter; what it says in detail is shown whatever it is. */
function isFleet(answer: unknown): answer is FleetStatus {
  const { version, counts, nodes, reasons } = (answer ?? {}) as Partial<FleetStatus>
  return (
    typeof version === 'number' &&
    typeof counts === 'object' &&
    counts !== null &&
    Array.isArray(reasons) &&
    Array.isArray(nodes) &&
    nodes.every(isNode)
  )
}

const isNode = (node: unknown): boolean => {
  const { label, instance, peer } = (node ?? {}) as Record<string, unknown>
  return [label, instance, peer].every(text => typeof text === 'string')
}

function nodesUrl(server: string): URL {
  if (/^https?:/i.test(server) && URL.canParse('nodes', `${server}/`)) return new URL('nodes', `${server}/`)
  throw failed(`--server: ${server} is not a URL such as http://127.0.0.1:18001`)
}

const failed = (message: string) => new RescindError('ERR_REQUEST_FAILED', message)
