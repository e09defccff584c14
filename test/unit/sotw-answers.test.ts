/** What a state-of-the-world stream makes of what its client says: ACKs, NACKs, first requests. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { revokedTokenTypeUrl, type SotwRequest } from '../../proto/wire.ts'
import { RescindError } from '../../revocation/error.ts'
import type { Clock } from '../support/discovery.ts'
import { block } from '../support/revocations.ts'
import {
  connectSotw,
  createSotwSide,
  decodeSotwRequest,
  firstSotwRequest,
  type SotwLink,
} from '../support/sotw.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const many = (count: number) => Array.from({ length: count }, (_, index) => revoked(index))
const known = ({ tokens }: SotwLink) => [...tokens.keys()].sort()
const nackOf = (link: SotwLink): SotwRequest => ({
  versionInfo: '0',
  responseNonce: link.last?.nonce ?? '',
  errorDetail: { code: 13, message: 'no' },
})

describe('answers', () => {
  test('a NACK brings everything again, after a wait that doubles to 30 seconds', () => {
    const clock = now()
    const adapter = createSotwSide(clock)
    adapter.append(revoked(0))
    const link = connectSotw(clock, adapter)
    const waits = [1, 2, 4, 8, 16, 30, 30]
    for (const seconds of waits) {
      assert.equal(link.settle({ acks: false }), 1)
      link.answer(nackOf(link))
      adapter.append(revoked(seconds))
      assert.equal(link.session.status.nackError, 'no')
      clock.ms += seconds * 1_000 - 1
      assert.equal(link.settle(), 0)
      clock.ms += 1
    }
    link.settle()
    assert.deepEqual(known(link), ['j0', ...new Set(waits.map(seconds => `j${seconds}`))].sort())
    assert.equal(link.session.status.nackError, undefined)
  })

  test('hundreds of NACKs of what was under way make it wait once', () => {
    const clock = now()
    const adapter = createSotwSide(clock)
    const link = connectSotw(clock, adapter)
    link.settle()
    for (const event of many(300)) adapter.append(event)
    link.settle({ acks: false })
    for (let nacks = 0; nacks < 300; nacks++) link.answer(nackOf(link))
    clock.ms += 1_000
    assert.equal(link.settle({ acks: false }), 1)
  })

  test('a NACK amid ACKs of other parts of a full set does not shorten the wait', () => {
    const clock = now()
    const adapter = createSotwSide(clock, { messageBytesLimit: 20_000 })
    adapter.append(...many(1_200))
    const link = connectSotw(clock, adapter)
    const pushesAfter = (waitMs: number) => {
      clock.ms += waitMs
      let parts = 0
      while (parts < 2)
        if (link.step() !== undefined && ++parts === 1) link.answer({ responseNonce: link.last?.nonce ?? '' })
      link.answer(nackOf(link))
    }
    pushesAfter(0)
    pushesAfter(1_000)
    clock.ms += 1_999
    assert.equal(link.settle(), 0)
    clock.ms += 1
    link.settle()
    assert.equal(link.tokens.size, 1_200)
  })

  test('ACKs with nonces of another stream, or of none, are tolerated and say nothing of this one', () => {
    const adapter = createSotwSide(now())
    adapter.append(revoked(0))
    const [one, other] = [connectSotw(now(), adapter), connectSotw(now(), adapter)]
    one.settle({ acks: false })
    other.settle({ acks: false })
    for (const responseNonce of [other.last?.nonce ?? '', 'unknown', '']) {
      one.answer({ versionInfo: '1', responseNonce })
    }
    assert.equal(one.session.status.ackedVersion, -1)
    one.answer({ versionInfo: '1', responseNonce: one.last?.nonce ?? '' })
    assert.equal(one.session.status.ackedVersion, 1)
    adapter.append(revoked(1))
    assert.deepEqual(
      [one, other].map(link => link.settle()),
      [1, 1],
    )
  })

  test('a client that never answers is sent everything all the same', () => {
    const adapter = createSotwSide(now())
    const link = connectSotw(now(), adapter)
    for (const event of many(3_000)) {
      adapter.append(event)
      link.settle({ acks: false })
    }
    assert.equal(link.tokens.size, 3_000)
  })
})

describe('a first request is refused', () => {
  const { node } = firstSotwRequest
  const wrong: Record<string, SotwRequest> = {
    'of another type': { node: node ?? {}, typeUrl: 'type.googleapis.com/other' },
    'without a node': { typeUrl: revokedTokenTypeUrl },
    'without a label': { ...firstSotwRequest, node: { ...node, id: '' } },
    'whose instance is a number': {
      ...firstSotwRequest,
      node: { id: 'label', metadata: { fields: { instanceIdentifier: { numberValue: 1 } } } },
    },
    'whose instance is too long': {
      ...firstSotwRequest,
      node: { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'x'.repeat(257) } } } },
    },
  }
  for (const [name, request] of Object.entries(wrong)) {
    test(name, () => {
      const session = createSotwSide(now()).session()
      assert.throws(
        () => session.receive(decodeSotwRequest(request), 0),
        (error: unknown) => error instanceof RescindError && error.code === 'ERR_REQUEST_INVALID',
      )
      assert.equal(session.next(0), undefined)
    })
  }

  test('but not for leaving out the type, of which there is only one', () => {
    const session = createSotwSide(now()).session()
    session.receive(decodeSotwRequest({ node: node ?? {} }), 0)
    assert.equal(session.status.node?.instance, 'instance')
  })
})
