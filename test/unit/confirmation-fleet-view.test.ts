/** Answers of adapters are read strictly: what is not one, or too large, says nothing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enforcersLimit, fleetViewOf } from '../../revoker/confirmation/fleet-view.ts'
import { enforcerView, fleetView } from '../support/fleet-views.ts'

const sent = (answer: unknown) => fleetViewOf(JSON.parse(JSON.stringify(answer)))

test('an answer is read, whatever else it says', () => {
  const view = fleetView([enforcerView('one'), enforcerView('two', { connected: false, nackError: 'no' })])
  assert.deepEqual(sent({ ...view, version: 9, more: [1] }), view)
  assert.deepEqual(sent(fleetView([], { epoch: null }))?.epoch, null)
})

describe('an answer says nothing', () => {
  const refused: Readonly<Record<string, unknown>> = {
    'that is no object': null,
    'that is a list': [],
    'without epoch': { ...fleetView([]), epoch: undefined },
    'whose readiness is no flag': { ...fleetView([]), ready: 'true' },
    'that does not say whether it is complete': { ...fleetView([]), incomplete: undefined },
    'that does not say whether it is settled': { ...fleetView([]), settled: 1 },
    'with an unknown word': { ...fleetView([]), known: 'perhaps' },
    'of which the enforcers are no list': { ...fleetView([]), nodes: { length: 0 } },
    'with too many enforcers': { ...fleetView([]), nodes: Array(enforcersLimit + 1).fill(enforcerView('a')) },
    'with an enforcer that is no object': { ...fleetView([]), nodes: [null] },
    'with an enforcer without name': { ...fleetView([]), nodes: [{ ...enforcerView('a'), instance: 1 }] },
    'with an endless name': { ...fleetView([]), nodes: [enforcerView('a'.repeat(2_000))] },
    'with an identity that is no text': { ...fleetView([]), nodes: [{ ...enforcerView('a'), identity: 1 }] },
    'with a version that is no number': {
      ...fleetView([]),
      nodes: [{ ...enforcerView('a'), leastAckedVersion: '7' }],
    },
    'with a version without end': {
      ...fleetView([]),
      nodes: [{ ...enforcerView('a'), leastAckedVersion: 1e300 }],
    },
    'with an enforcer that may be connected': {
      ...fleetView([]),
      nodes: [{ ...enforcerView('a'), connected: 'no' }],
    },
  }
  for (const [what, answer] of Object.entries(refused))
    test(what, () => {
      assert.equal(sent(answer), undefined)
    })
})
