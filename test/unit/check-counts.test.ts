/**
 * Checks are counted by outcome and reason, and a scrape shows what was counted until then.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { createCheckCounts } from '../../enforcer/check/counts.ts'

test('each scrape shows all checks so far by outcome and reason', async () => {
  const registry = new Registry()
  const count = createCheckCounts(registry)
  const lines = async () =>
    (await registry.metrics()).split('\n').filter(line => line.startsWith('rescind_enforcer_checks_total'))

  assert.deepEqual(await lines(), [])
  count('allow', 'allowed')
  count('deny', 'revoked')
  count('deny', 'revoked')
  const first = [
    'rescind_enforcer_checks_total{outcome="allow",reason="allowed"} 1',
    'rescind_enforcer_checks_total{outcome="deny",reason="revoked"} 2',
  ]
  assert.deepEqual(await lines(), first)
  assert.deepEqual(await lines(), first)
  count('allow', 'allowed')
  count('undecided', 'not_ready')
  assert.deepEqual(await lines(), [
    'rescind_enforcer_checks_total{outcome="allow",reason="allowed"} 2',
    first[1],
    'rescind_enforcer_checks_total{outcome="undecided",reason="not_ready"} 1',
  ])
})
