/** The first request of a delta stream: who asks, and what it holds. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeltaRequest } from '../../proto/wire.ts'
import { RescindError } from '../../revocation/error.ts'
import {
  batchIn,
  type Clock,
  createAdapterSide,
  createEnforcerSide,
  decodeRequest,
} from '../support/discovery.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })

describe('an adapter refuses a first request', () => {
  const first = createEnforcerSide().open()
  const wrong: Record<string, DeltaRequest> = {
    'of another type': { ...first, typeUrl: 'type.googleapis.com/other' },
    'without a node': { typeUrl: first.typeUrl as string },
    'without a label': { ...first, node: { ...first.node, id: '' } },
    'without an instance': { ...first, node: { id: 'label' } },
    'whose label is too long': { ...first, node: { ...first.node, id: 'x'.repeat(257) } },
    'whose instance is not text': {
      ...first,
      node: { id: 'label', metadata: { fields: { instanceIdentifier: { numberValue: 1 } } } },
    },
  }
  for (const [name, request] of Object.entries(wrong)) {
    test(name, () => {
      const clock = now()
      const session = createAdapterSide(clock).session()
      assert.throws(
        () => session.receive(decodeRequest(request), clock.ms),
        (error: unknown) => error instanceof RescindError && error.code === 'ERR_REQUEST_INVALID',
      )
      assert.equal(session.next(clock.ms), undefined)
    })
  }

  const unreadable = [
    '',
    '1',
    '0/0000000000000000',
    '1/00',
    '-1/0000000000000000',
    '9999999999999999/0000000000000000',
  ]
  for (const held of unreadable) {
    test(`never for what it says it holds: ${JSON.stringify(held)} means nothing, and brings the full state`, () => {
      const clock = now()
      const session = createAdapterSide(clock).session()
      session.receive(decodeRequest({ ...first, initialResourceVersions: { 'epoch-1': held } }), clock.ms)
      const message = session.next(clock.ms)
      assert.equal(message && batchIn(message.bytes).kind, 'FULL_FIRST')
    })
  }
})
