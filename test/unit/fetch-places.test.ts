/** How many may ask for everything in one answer at a time. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { createFetchPlaces, type FetchCall } from '../../adapter/fetch-places.ts'

const newCall = () => new EventEmitter() as EventEmitter & FetchCall

test('there is a place for four calls, each until it is over', () => {
  const { take } = createFetchPlaces()
  const calls = Array.from({ length: 4 }, newCall)
  for (const call of calls) assert.equal(take(call), undefined)
  assert.equal(take(newCall())?.code, status.RESOURCE_EXHAUSTED)
  calls[0]?.emit('cancelled')
  assert.equal(take(newCall()), undefined)
  assert.equal(take(newCall())?.code, status.RESOURCE_EXHAUSTED)
})
