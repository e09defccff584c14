/** Which enforcers have a version, as all adapters together say it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveState } from '../../revocation/live-state.ts'
import type { AdapterSource } from '../../revoker/confirmation/adapter-sources.ts'
import type { EnforcerView, FleetView } from '../../revoker/confirmation/fleet-view.ts'
import { createAskEnforcers } from '../../revoker/confirmation/known-enforcers.ts'

const enforcer = (instance: string, leastAckedVersion: number, connected = true): EnforcerView => ({
  label: 'common',
  instance,
  connected,
  partial: false,
  leastAckedVersion,
})

const adapter = (nodes: readonly EnforcerView[], view: Partial<FleetView> = {}): AdapterSource => ({
  ask: async ({ version, digest }) => {
    assert.deepEqual([version, digest], [9, 99n])
    const whole = { epoch: 'one', ready: true, incomplete: false, settled: true, known: 'confirmed' } as const
    return { adapter: 'a', view: { ...whole, nodes, ...view } }
  },
})

const ask = (version: number, ...adapters: readonly AdapterSource[]) => {
  const state = new LiveState()
  state.epoch = 'one'
  state.advance(9, 99n)
  const sources = { isEmpty: false, current: async () => adapters, close: () => undefined }
  return createAskEnforcers(sources, { state })(version)
}

const haveIt = async (...args: Parameters<typeof ask>) =>
  (await ask(...args)).map(({ instance, has }) => [instance, has])

test('an enforcer has it that said so at an adapter of the same log', async () => {
  const nodes = [enforcer('ahead', 8), enforcer('at', 7), enforcer('behind', 6), enforcer('new', -1)]
  assert.deepEqual(await haveIt(7, adapter(nodes)), [
    ['ahead', true],
    ['at', true],
    ['behind', false],
    ['new', false],
  ])
  for (const view of [{ epoch: 'two' }, { known: 'different' }, { known: 'ahead' }] as const) {
    assert.deepEqual(await haveIt(7, adapter([enforcer('at', 7)], view)), [['at', false]])
  }
})

test('one that moved counts where it is connected; an adapter that does not answer is left out', async () => {
  const [left, there] = [adapter([enforcer('moved', 3, false)]), adapter([enforcer('moved', 8)])]
  const silent: AdapterSource = { ask: async () => ({ adapter: 'b', problem: 'no answer in time' }) }
  assert.deepEqual(await haveIt(7, left, there, silent), [['moved', true]])
  assert.deepEqual(await haveIt(7, there, left), [['moved', true]])
})
