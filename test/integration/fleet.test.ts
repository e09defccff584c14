/**
 * The fleet of a running adapter as programs see it: over HTTP, as metrics, as events, and with `rescind status`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { startChild } from '../support/child.ts'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { freePort } from '../support/ports.ts'
import { projectRoot } from '../support/project.ts'
import { takeVersion } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { connectToldEnforcer } from '../support/told-enforcer.ts'

const hostile = 'x"} 1\n\u001b[2J'

describe('the fleet of a running adapter', () => {
  let stack: Stack
  let url: string
  const goodbyes: (() => void)[] = []

  before(async () => {
    stack = await startStack({
      edit: config => {
        config.enforcer.instance = 'built-in'
        config.adapter.maxStreams = 3
      },
    })
    url = `http://127.0.0.1:${stack.ports.adapterAdmin}`
  })
  after(async () => {
    for (const leave of goodbyes) leave()
    await stack?.stop()
  })

  const nodes = async (): Promise<FleetStatus> => (await (await fetch(`${url}/nodes`)).json()) as FleetStatus
  const connect = (instance: string, more = {}) => {
    const enforcer = connectToldEnforcer(stack.ports.adapter, { instance, label: 'gateway', ...more })
    goodbyes.push(() => enforcer.leave({ goodbye: true }))
    return enforcer
  }
  const states = async () =>
    Object.fromEntries((await nodes()).nodes.map(({ instance, state }) => [instance, state]))
  const becomes = (expected: Record<string, string>) =>
    until(`the fleet is ${JSON.stringify(expected)}`, async () => {
      const found = await states()
      return Object.entries(expected).every(([instance, state]) => found[instance] === state)
    })

  test('is JSON: those in trouble first, each with its version, lag and refusal', async () => {
    const version = await takeVersion(stack.ports.revoker)
    connect('refusing', { does: 'refuses', reason: hostile })
    const leaving = connect('leaving')
    await becomes({ refusing: 'refusing', leaving: 'current', 'built-in': 'current' })
    leaving.leave()
    await becomes({ leaving: 'disconnected' })
    const fleet = await nodes()
    assert.deepEqual(
      [fleet.version, fleet.ready, fleet.counts, fleet.incomplete, fleet.discoveryPort],
      [version, true, { refusing: 1, behind: 0, disconnected: 1, current: 1 }, false, stack.ports.adapter],
    )
    const [first, second, third] = fleet.nodes
    assert.deepEqual(
      [first?.instance, first?.label, first?.nackError, first?.ackedVersion, first?.protocol, first?.partial],
      ['refusing', 'gateway', hostile, -1, 'delta', false],
    )
    assert.deepEqual([second?.instance, second?.ackedVersion, second?.connected], ['leaving', version, false])
    assert.deepEqual([third?.instance, third?.lagVersions, third?.lagSeconds], ['built-in', 0, 0])
    assert.match(third?.peer ?? '', /^127\.0\.0\.1:\d+$/)
  })

  test('is metrics: how many, and for each its version and lag', async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /^rescind_adapter_nodes 2$/m)
    const { version } = await nodes()
    for (const line of [
      `rescind_adapter_node_acked_version{label="commonEnforcerLabel",instance="built-in",identity=""} ${version}`,
      'rescind_adapter_node_lag_seconds{label="commonEnforcerLabel",instance="built-in",identity=""} 0',
      `rescind_adapter_node_lag_versions{label="gateway",instance="refusing",identity=""} ${version}`,
      'rescind_adapter_node_connected{label="gateway",instance="leaving",identity=""} 0',
    ]) {
      assert.ok(metrics.split('\n').includes(line), `${line}\n${metrics}`)
    }
  })

  test('is a table for people, which names of enforcers cannot disturb, and JSON for programs', async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(['status', '--server', url])
    assert.deepEqual([exitCode, stderr], [0, ''])
    const [summary, head, ...rows] = stdout.trimEnd().split('\n') as [string, string, ...string[]]
    assert.match(
      summary,
      /^http:.*: version 2, 1 revocation, log age \d s; 2 enforcers connected, 1 refusing, 1 disconnected$/,
    )
    assert.match(head, /^state +instance +label +peer +version +behind +lag +last ACK +note$/)
    assert.match(
      rows[0] ?? '',
      /^refusing +refusing +gateway +127.0.0.1:\d+ +none +2 .* never +x"\} 1\?\?\[2J/,
    )
    assert.match(rows[1] ?? '', /^disconnected +leaving .* left \d+ s ago$/)
    assert.match(rows[2] ?? '', /^current +built-in +commonEnforcerLabel .* 2 +0 +0 s/)
    assert.equal(rows[2]?.indexOf('built-in'), head.indexOf('instance'))

    const json = await runCommandLine(['status', '--server', url, '--json'])
    const answer = JSON.parse(json.stdout)
    assert.deepEqual([answer.server, answer.counts, answer.nodes.length], [url, (await nodes()).counts, 3])
  })

  test('is watched: shown again and again, and what goes wrong in between is only said', async () => {
    const main = join(projectRoot, 'dist', 'cli', 'main.js')
    const nobody = `http://127.0.0.1:${await freePort()}`
    const args = ['status', '--watch', '--server', url, nobody]
    const child = await startChild(process.execPath, [main, ...args])
    try {
      await until('it has shown all three times', () => {
        const shown = child.output()
        return shown.split('built-in').length > 3 && shown.split('no answer from').length > 3
      })
      assert.equal(child.exitCode, undefined)
      assert.equal(child.output().includes('\u001b'), false)
    } finally {
      await child.stop()
    }
  })

  const failures: readonly [what: string, server: () => string | Promise<string>, message: RegExp][] = [
    [
      'where nobody listens',
      async () => `http://127.0.0.1:${await freePort()}`,
      /ECONNREFUSED.*name the admin port/,
    ],
    [
      'that is not of an adapter',
      () => `http://127.0.0.1:${stack.ports.enforcerAdmin}`,
      /is not the admin port/,
    ],
    ['that is none', () => 'localhost:18001', /is not a URL such as http:\/\/127\.0\.0\.1:18001/],
  ]
  for (const [what, server, message] of failures) {
    test(`cannot be asked for at an address ${what}: the error says what to do`, async () => {
      const { exitCode, stderr } = await runCommandLine(['status', '--server', await server()])
      assert.equal(exitCode, 1)
      assert.match(stderr, message)
      assert.match(stderr, /\[ERR_REQUEST_FAILED\]\n$/)
    })
  }

  test('is shown of those adapters that answer, also when another does not', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`
    const { exitCode, stdout } = await runCommandLine(['status', '--server', nobody, '--server', url])
    assert.equal(exitCode, 1)
    assert.match(stdout, /built-in/)
  })

  test('is a page that may load nothing but its own files', async () => {
    const page = await fetch(`${url}/`)
    assert.equal(page.status, 200)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; /)
    assert.doesNotMatch(policy, /unsafe|\*|http/)
    for (const file of ['page.js', 'style.css', 'icon.svg']) {
      const answer = await fetch(`${url}/${file}`)
      assert.deepEqual([answer.status, answer.headers.get('x-content-type-options')], [200, 'nosniff'], file)
    }
    const folder = join(projectRoot, 'adapter', 'fleet-page')
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8').replace('xmlns="http://www.w3.org/2000/svg"', '')
      assert.doesNotMatch(
        text,
        /https?:|\/\/[a-z]+\.|innerHTML|insertAdjacentHTML|eval\(|<style|style="/,
        file,
      )
    }
  })

  test('is events for a bounded number of listeners; who leaves makes room', async () => {
    const open = (): Promise<{ status: number | undefined; first: Promise<string>; close: () => void }> =>
      new Promise((done, fail) => {
        const asked = request(`${url}/nodes/events`, { agent: false }, response => {
          const first = new Promise<string>(got => response.setEncoding('utf8').once('data', got))
          response.on('error', () => undefined)
          done({ status: response.statusCode, first, close: () => asked.destroy() })
        })
        asked.on('error', fail).end()
      })
    const listeners = await Promise.all(Array.from({ length: 32 }, open))
    for (const { status, first } of listeners) {
      assert.equal(status, 200)
      assert.match(await first, /^data: \{"version":2,/)
    }
    const refused = await open()
    assert.equal(refused.status, 503)
    listeners[0]?.close()
    const next = await until('there is room again', async () => {
      const tried = await open()
      if (tried.status === 200) return tried
      tried.close()
      return false
    })
    for (const { close } of [...listeners, refused, next]) close()
  })

  test('is never larger than adapter.maxStreams: who disconnected first is forgotten, which is said', async () => {
    assert.equal((await nodes()).incomplete, false)
    connect('fourth')
    await becomes({ fourth: 'current', 'built-in': 'current', refusing: 'refusing' })
    const fleet = await nodes()
    assert.deepEqual([fleet.nodes.length, fleet.incomplete, fleet.counts.disconnected], [3, true, 0])
    const { stdout } = await runCommandLine(['status', '--server', url])
    assert.match(stdout, /^more enforcers have disconnected than are remembered; some are missing here$/m)
  })
})
