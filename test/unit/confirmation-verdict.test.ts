/** When a revocation counts as enforced: each sentence of the rule, and in doubt it is pending. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { confirmationText } from '../../revoker/confirmation/confirmation.ts'
import { enforcersLimit } from '../../revoker/confirmation/fleet-view.ts'
import { type AdapterAnswer, type PublishedVersion, verdictOf } from '../../revoker/confirmation/verdict.ts'
import { answerOf, enforcerView, published } from '../support/fleet-views.ts'

const verdict = (answers: readonly AdapterAnswer[], more: Partial<PublishedVersion> = {}) =>
  verdictOf({ ...published, ...more }, answers)

const textOf = (...args: Parameters<typeof verdict>) => confirmationText(verdict(...args))

describe('a revocation is enforced', () => {
  test('when every enforcer at every adapter has its version, or a later one', () => {
    const answers = [
      answerOf([enforcerView('one'), enforcerView('two', { leastAckedVersion: 12 })]),
      answerOf([enforcerView('three')]),
    ]
    assert.deepEqual(verdict(answers), {
      version: 7,
      enforced: true,
      acked: 3,
      enforcers: 3,
      verified: true,
      reasons: [],
    })
  })

  test('although an enforcer is remembered where it was connected before: it counts once, where it is connected', () => {
    const before = enforcerView('one', { connected: false, leastAckedVersion: 3 })
    assert.equal(
      textOf([answerOf([before]), answerOf([enforcerView('one')])]),
      'enforced; version=7; enforcers=1/1',
    )
  })

  test('although an adapter has no enforcers, if another has some', () => {
    assert.equal(
      textOf([answerOf([]), answerOf([enforcerView('one')])]),
      'enforced; version=7; enforcers=1/1',
    )
  })

  test('by an enforcer that can be told of single tokens only, if it is one by its jti', () => {
    const partial = answerOf([enforcerView('one', { partial: true })])
    assert.equal(textOf([partial], { isByJti: true }), 'enforced; version=7; enforcers=1/1')
  })

  test('but unverified when an enforcer has no certificate', () => {
    const answers = [answerOf([enforcerView('one'), enforcerView('two', { identity: undefined })])]
    assert.equal(textOf(answers), 'enforced; version=7; enforcers=2/2; unverified')
  })
})

describe('a revocation is pending', () => {
  const isPending = (answers: readonly AdapterAnswer[], counts: string, reason: RegExp) => {
    assert.equal(textOf(answers), `pending; version=7; enforcers=${counts}`)
    assert.match(verdict(answers).reasons.join('; '), reason)
  }

  test('while an enforcer lacks its version', () => {
    const answers = [answerOf([enforcerView('one'), enforcerView('two', { leastAckedVersion: 6 })])]
    isPending(answers, '1/2', /^enforcer label two: has not this version yet$/)
  })

  test('while an enforcer is disconnected everywhere, whatever it had', () => {
    const gone = enforcerView('one', { connected: false, leastAckedVersion: 7 })
    isPending([answerOf([gone]), answerOf([gone])], '0/1', /^enforcer label one: disconnected$/)
  })

  test('while one of the connections of an enforcer lacks it: two may have the same name', () => {
    const answers = [
      answerOf([enforcerView('one')]),
      answerOf([enforcerView('one', { leastAckedVersion: 6 })]),
    ]
    isPending(answers, '0/1', /has not this version yet$/)
  })

  test('while an enforcer refuses what it is sent', () => {
    isPending([answerOf([enforcerView('one', { nackError: '' })])], '0/1', /refuses/)
  })

  test('of anything but a jti, while an enforcer can be told of single tokens only', () => {
    isPending([answerOf([enforcerView('one', { partial: true })])], '0/1', /single tokens only$/)
  })

  test('while an adapter does not answer', () => {
    const answers = [answerOf([enforcerView('one')]), { adapter: 'b', problem: 'ECONNREFUSED' }]
    isPending(answers, '1/1', /^adapter b: ECONNREFUSED$/)
  })

  test('while an adapter follows a log of another epoch, and what its enforcers have does not count', () => {
    const other = answerOf([enforcerView('two')], { epoch: 'other' })
    isPending([answerOf([enforcerView('one')]), other], '1/2', /another event log/)
    isPending([answerOf([enforcerView('two')], { epoch: null })], '0/1', /another event log/)
  })

  for (const known of ['ahead', 'different', 'trimmed'] as const)
    test(`while the version is ${known} for an adapter, and what its enforcers have does not count`, () => {
      isPending([answerOf([enforcerView('one')], { known })], '0/1', /this version/)
    })

  test('while an adapter is not ready', () => {
    isPending([answerOf([enforcerView('one')], { ready: false })], '1/1', /not ready/)
  })

  test('while an adapter has forgotten enforcers for want of room', () => {
    isPending([answerOf([enforcerView('one')], { incomplete: true })], '1/1', /than it remembers/)
  })

  test('while an adapter was started a short time ago', () => {
    isPending([answerOf([enforcerView('one')], { settled: false })], '1/1', /short time ago/)
  })

  test('when there are no enforcers: nobody enforces it', () => {
    isPending([answerOf([])], '0/0', /^no enforcer is connected/)
    isPending([], '0/0', /^no enforcer is connected/)
  })

  test('when there are more enforcers than can be counted', () => {
    const half = (from: number) =>
      answerOf(Array.from({ length: enforcersLimit / 2 + 1 }, (_, index) => enforcerView(`e${from + index}`)))
    const count = enforcersLimit + 2
    isPending([half(0), half(count / 2)], `${count}/${count}`, /^more than 10000 enforcers$/)
  })
})

test('reasons are few and printable, whatever enforcers call themselves', () => {
  const hostile = Array.from({ length: 100 }, (_, index) =>
    enforcerView(`\u001b[2J${index}`, { connected: false }),
  )
  const { reasons } = verdict([answerOf(hostile)])
  assert.equal(reasons.length, 16)
  assert.equal(reasons[0], 'enforcer label ?[2J0: disconnected')
  assert.equal(reasons[15], 'and 85 more')
})

test('enforcers are told apart by certificate, label and instance', () => {
  const all = [
    enforcerView('a'),
    enforcerView('a', { identity: undefined }),
    enforcerView('a', { label: 'other' }),
    enforcerView('","a'),
  ]
  assert.equal(verdict([answerOf(all)]).enforcers, 4)
})
