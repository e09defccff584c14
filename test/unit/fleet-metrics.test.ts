/** The fleet as metrics: few, bounded, gone with the enforcer, and harmless whatever it is called. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { addFleetMetrics } from '../../adapter/fleet-metrics.ts'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { createClockedFleet } from '../support/fleet.ts'

const metricsOf = (nodesLimit?: number) => {
  const fleet = createClockedFleet()
  const registry = new Registry()
  addFleetMetrics(registry, () => ({ nodes: fleet.nodes() }) as unknown as FleetStatus, nodesLimit)
  const lines = async () => (await registry.metrics()).split('\n').filter(line => /^rescind/.test(line))
  return { fleet, lines }
}

test('each enforcer has its version and lag until it is forgotten', async () => {
  const { fleet, lines } = metricsOf()
  fleet.serve(7)
  const stream = fleet.open('a', { ackedVersion: 5 }, { identity: 'spiffe://x/a' })
  fleet.ms += 1_500
  const names = '{label="label",instance="a",identity="spiffe://x/a"}'
  assert.deepEqual(await lines(), [
    `rescind_adapter_node_connected${names} 1`,
    `rescind_adapter_node_acked_version${names} 5`,
    `rescind_adapter_node_lag_versions${names} 2`,
    `rescind_adapter_node_lag_seconds${names} 1.5`,
  ])
  fleet.close(stream)
  assert.equal((await lines())[0], `rescind_adapter_node_connected${names} 0`)
  fleet.ms += 60_000
  assert.deepEqual(await lines(), [])
})

test('names of enforcers cannot end a label or a line', async () => {
  const { fleet, lines } = metricsOf()
  const instance = 'a"} 1\nrescind_adapter_version 999\\'
  fleet.open(instance)
  const found = await lines()
  assert.equal(found.length, 4)
  for (const line of found) {
    assert.ok(line.includes('instance="a\\"} 1\\nrescind_adapter_version 999\\\\",identity=""}'), line)
  }
})

test('the number of enforcers that have metrics is bounded', async () => {
  const { fleet, lines } = metricsOf(10)
  for (let index = 0; index < 50; index++) fleet.open(`e${index}`)
  assert.equal((await lines()).length, 4 * 10)
})
