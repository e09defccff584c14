/** Which token a request's Authorization header gives. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bearerToken, isTokenText } from '../../enforcer/check/bearer-token.ts'

const of = (...authorization: string[]) => bearerToken({ authorization, isGrpc: false })

describe('a token is found', () => {
  for (const value of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c', 'Bearer   a.b.c', 'Bearer a.b.c  ']) {
    test(`in ${JSON.stringify(value)}`, () => assert.deepEqual(of(value), { token: 'a.b.c' }))
  }
})

describe('there is none', () => {
  for (const value of [
    '',
    'Bearer',
    'Bearer ',
    'Bearer    ',
    'Basic YTpi',
    'Bearera.b.c',
    ' Bearer a',
    'Bearer\ta',
  ]) {
    test(`in ${JSON.stringify(value)}`, () => assert.deepEqual(of(value), { problem: 'missing_token' }))
  }
  test('without a header', () => assert.deepEqual(of(), { problem: 'missing_token' }))
})

describe('more than one reading is none', () => {
  const values = ['Bearer a,Bearer b', 'Bearer a, Bearer a', 'Bearer a,', ',Bearer a', 'Basic YTpi,Bearer a']
  for (const value of values) {
    test(`as in ${JSON.stringify(value)}`, () => assert.deepEqual(of(value), { problem: 'ambiguous_token' }))
  }
  test('as with two headers, even if they are the same', () => {
    assert.deepEqual(of('Bearer a', 'Bearer a'), { problem: 'ambiguous_token' })
    assert.deepEqual(of('', 'Bearer a'), { problem: 'ambiguous_token' })
  })
})

test('a token has the characters of b64token, and those of padding at its end only', () => {
  for (const text of ['a', 'A-Z.a_z~0+9/', 'abc=', 'abc==']) assert.equal(isTokenText(text), true, text)
  for (const text of ['', '=', 'a=b', 'a b', 'a"b', 'a\u00e9', 'a\n', 'a\0', 'a;b']) {
    assert.equal(isTokenText(text), false, JSON.stringify(text))
  }
})
