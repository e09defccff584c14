/** Everything that is live in one answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { fetchTokens } from '../../adapter/fetch-tokens.ts'
import { sotwResponseCodec } from '../../proto/wire.ts'
import { tokensIn } from '../support/choreo-connect-enforcer.ts'
import { block } from '../support/revocations.ts'
import { createSotwSide } from '../support/sotw.ts'

const withTokens = (count: number) => {
  const adapter = createSotwSide({ ms: 0, seconds: 50 }, { messageBytesLimit: 10_000 })
  adapter.append(...Array.from({ length: count }, (_, index) => block({ jti: `j${index}` }, 1_000)))
  return adapter
}

test('the messages of a full set are one answer', async () => {
  const answer = await fetchTokens(withTokens(1_300).batches, () => false)
  assert.ok(Buffer.isBuffer(answer))
  const response = sotwResponseCodec.decode(answer)
  assert.equal(response.versionInfo, '1300')
  assert.equal(new Set(tokensIn(response).map(({ jti }) => jti)).size, 1_300)
})

test('what does not fit into the message that a client takes is refused, and a stream is named instead', async () => {
  const message = { bytes: Buffer.alloc(2 ** 20), nonce: '', to: -1 }
  const steps = Array.from({ length: 5 }, () => message)[Symbol.iterator]()
  const batches = { ...withTokens(0).batches, full: () => ({ cursor: 0, steps }) }
  const answer = await fetchTokens(batches, () => false)
  assert.ok(!Buffer.isBuffer(answer))
  assert.equal(answer.code, status.RESOURCE_EXHAUSTED)
  assert.match(answer.details, /StreamTokens/)
})

test('for whom has gone the walk ends', async () => {
  let isGone = false
  const adapter = withTokens(10)
  adapter.diskIsSlow = true
  const answer = fetchTokens(adapter.batches, () => isGone)
  isGone = true
  assert.deepEqual(await answer, { code: status.CANCELLED, details: 'cancelled' })
})
