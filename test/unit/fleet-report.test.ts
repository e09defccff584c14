/** What `rescind status` prints: several adapters, and a screen that is too small. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { screenOf } from '../../cli/commands/status.ts'
import { reportLines } from '../../cli/fleet-report.ts'
import { type ClockedFleet, createClockedFleet } from '../support/fleet.ts'

const statusOf = ({ nodes }: ClockedFleet, more: Partial<FleetStatus> = {}): FleetStatus => ({
  version: 7,
  epoch: 'log',
  ready: true,
  reasons: [],
  logAgeSeconds: 0.2,
  revocations: 3,
  discoveryPort: 18_000,
  counts: { current: 0, behind: 0, refusing: 0, disconnected: 0 },
  incomplete: false,
  settled: true,
  nodes: nodes(),
  ...more,
})

describe('the report of several adapters', () => {
  test('says of an enforcer that left one of them where it is now', () => {
    const [one, other] = [createClockedFleet(), createClockedFleet()]
    for (const name of ['moving', 'lost']) one.close(one.open(name))
    other.open('moving')
    const lines = reportLines([
      { server: 'http://one', fleet: statusOf(one) },
      { server: 'http://other', fleet: statusOf(other) },
    ])
    assert.match(
      lines.find(line => line.includes('moving')) ?? '',
      /^moved +moving .* now at http:\/\/other$/,
    )
    assert.match(lines.find(line => line.includes('lost')) ?? '', /^disconnected +lost .* left 0 s ago$/)
  })

  test('says why there is nothing of one, and why one serves nobody', () => {
    const fleet = statusOf(createClockedFleet(), {
      ready: false,
      reasons: ['reading\u001b the log'],
      version: -1,
    })
    assert.deepEqual(
      reportLines([
        { server: 'http://a', error: 'http://a: gone' },
        { server: 'http://b', fleet },
      ]),
      [
        'http://a: gone',
        '',
        'http://b: version 0, 3 revocations, log age 0 s; no enforcer is connected',
        'serves no new enforcers: reading? the log',
      ],
    )
  })
})

test('a screen is replaced from its start, and nothing on it is wider or longer than it is', () => {
  const lines = ['one', 'a line that is too long', 'three', 'four', 'five']
  const screen = screenOf(lines, { rows: 4, columns: 10 })
  assert.equal(screen, '\u001b[Hone\u001b[K\na line tha\u001b[K\n... and 3 \u001b[K\n\u001b[J')
  assert.equal(screenOf(['one'], { rows: 4, columns: 10 }), '\u001b[Hone\u001b[K\n\u001b[J')
})
