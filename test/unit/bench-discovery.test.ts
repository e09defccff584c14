/**
 * What the benchmark of discovery feeds its adapter with, and how it reads what enforcers are sent.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGeneratedLog, digestAt, generatedEpoch } from '../../bench/discovery/generated-log.ts'
import { createResyncing } from '../../bench/discovery/resyncing.ts'
import { createFrameReader, grpcFrame } from '../../bench/load/grpc-frames.ts'
import { beforeFirst } from '../../event-log/event-log.ts'
import { followLog } from '../../event-log/follow.ts'
import { systemClock } from '../../runtime/clock.ts'

const revokedAt = 1_000_000

/** A follower of a generated log that has read all of it; expired revocations are not pruned. */
const followed = async (entries: number) => {
  const generated = createGeneratedLog({ issuer: 'https://issuer.example', revokedAt, entries })
  const { log, codec } = generated
  const fail = (error: unknown) => assert.fail(String(error))
  const follower = followLog({
    ...{ log, codec, graceSeconds: 0, onError: fail, onFatal: fail },
    clock: { ...systemClock, wallMs: () => revokedAt * 1_000 },
  })
  await follower.caughtUp
  return { generated, follower }
}

describe('a generated log', () => {
  test('is followed as any other, and each of its entries is a key of its own', async () => {
    const { follower } = await followed(2_500)
    const { state } = follower
    assert.deepEqual([state.size, state.position, state.epoch], [2_500, 2_500, generatedEpoch])
    assert.equal(state.claimSets.sets.length, 4)
    await follower.close()
  })

  test('goes on with what is appended', async () => {
    const { generated, follower } = await followed(10)
    generated.grow(1_500)
    assert.equal(await follower.reached(1_510), true)
    assert.equal(follower.state.size, 1_510)
    await follower.close()
  })

  test('says what other logs say of positions', async () => {
    const { log } = createGeneratedLog({ issuer: 'https://issuer.example', revokedAt, entries: 5 })
    const known = async (position: number, digest: bigint) => (await log.check({ position, digest })).known
    assert.equal(await known(beforeFirst.position, beforeFirst.digest), 'confirmed')
    assert.equal(await known(5, digestAt(5)), 'confirmed')
    assert.equal(await known(5, digestAt(4)), 'different')
    assert.equal(await known(6, digestAt(6)), 'ahead')
  })
})

test('an adapter is told to begin anew by a follower that has not read its log again', async () => {
  const { follower: inner } = await followed(10)
  const { follower, resync } = createResyncing(inner)
  let told = 0
  const stop = follower.subscribe(() => {
    told += 1
  })
  const before = told
  resync(false)
  assert.deepEqual([follower.restarts, follower.rollbacks, told - before], [1, 0, 1])
  resync(true)
  assert.deepEqual([follower.restarts, follower.rollbacks, told - before], [2, 1, 2])
  assert.equal(follower.complete, true)
  assert.equal(inner.restarts, 0)
  stop()
  resync(false)
  assert.equal(told - before, 2)
  await inner.close()
})

describe('gRPC messages', () => {
  const messages = [Buffer.alloc(0), Buffer.from('one'), Buffer.alloc(300, 7), Buffer.from('two')]
  const stream = Buffer.concat(messages.map(grpcFrame))

  for (const pieceBytes of [1, 4, 7, 100, stream.length])
    test(`are read whole from pieces of ${pieceBytes} bytes`, () => {
      const read: Buffer[] = []
      const take = createFrameReader(message => read.push(Buffer.from(message)))
      for (let at = 0; at < stream.length; at += pieceBytes) take(stream.subarray(at, at + pieceBytes))
      assert.deepEqual(read, messages)
    })

  test('that are compressed or too long are refused', () => {
    assert.throws(() => createFrameReader(() => undefined)(Buffer.from([1, 0, 0, 0, 1])), /flag 1/)
    assert.throws(() => createFrameReader(() => undefined)(Buffer.from([0, 255, 0, 0, 0])), /bytes/)
  })
})
