/** How many may ask for everything in one answer at a time. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { createFetchPlaces, type FetchCall } from '../../adapter/fetch-places.ts'

const nowMs = 1_000_000
const callUntil = (deadline: number | Date) =>
  Object.assign(new EventEmitter(), { getDeadline: () => deadline }) as EventEmitter & FetchCall
const places = () => createFetchPlaces({ wallMs: () => nowMs })

test('there is a place for four calls, each until it is over', () => {
  const { take } = places()
  const calls = Array.from({ length: 4 }, () => callUntil(Number.POSITIVE_INFINITY))
  for (const call of calls) assert.equal(take(call), undefined)
  assert.equal(take(callUntil(Number.POSITIVE_INFINITY))?.code, status.RESOURCE_EXHAUSTED)
  calls[0]?.emit('cancelled')
  assert.equal(take(callUntil(nowMs + 1_000)), undefined)
  assert.equal(take(callUntil(Number.POSITIVE_INFINITY))?.code, status.RESOURCE_EXHAUSTED)
})

test('a call whose deadline has passed, or is about to, gets no place', () => {
  const { take } = places()
  for (const deadlineMs of [nowMs - 10, nowMs, nowMs + 49])
    for (let count = 0; count < 5; count++)
      assert.equal(take(callUntil(new Date(deadlineMs)))?.code, status.DEADLINE_EXCEEDED)
  assert.equal(take(callUntil(new Date(nowMs + 50))), undefined)
})
