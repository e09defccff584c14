/** The answers to Envoy: no denial can be taken for an allow. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAnswers, type DenyReason, type ErrorStyle } from '../../enforcer/check/answers.ts'
import { type CheckResponseMessage, checkResponseCodec } from '../../proto/wire.ts'
import { decode, loadUpstream } from '../support/proto-definitions.ts'

/** Every reason; the compiler refuses a list that lacks one. */
const allReasons: Record<DenyReason, true> = {
  malformed: true,
  unknown_issuer: true,
  algorithm_not_allowed: true,
  unknown_key: true,
  bad_signature: true,
  missing_exp: true,
  missing_iat: true,
  invalid_nbf: true,
  expired: true,
  not_yet_valid: true,
  issued_in_future: true,
  lifetime_too_long: true,
  wrong_audience: true,
  missing_token: true,
  ambiguous_token: true,
  revoked: true,
  too_many_keys: true,
}
const reasons = Object.keys(allReasons) as DenyReason[]
const styles: readonly ErrorStyle[] = ['wso2', 'rfc6750', 'none']

const decoded = (style: ErrorStyle, reason: DenyReason, isGrpc = false): CheckResponseMessage =>
  checkResponseCodec.decode(createAnswers(style).deny(reason, isGrpc))

const headersOf = (answer: CheckResponseMessage): Record<string, string> =>
  Object.fromEntries((answer.deniedResponse?.headers ?? []).map(({ header }) => [header?.key, header?.value]))

describe('every denial, in every style, for HTTP and for gRPC', () => {
  const everyDenial = () =>
    styles.flatMap(style =>
      reasons.flatMap(reason => [false, true].map(isGrpc => decoded(style, reason, isGrpc))),
    )

  test('has a status other than OK, an HTTP status 4xx, and no ok_response', () => {
    const all = everyDenial()
    assert.equal(all.length, styles.length * reasons.length * 2)
    for (const answer of all) {
      assert.equal(answer.status?.code, 16)
      const code = answer.deniedResponse?.status?.code as unknown as number
      assert.ok(code >= 400 && code < 500, String(code))
      assert.equal(answer.httpResponse, 'deniedResponse')
    }
  })

  test('has header values of printable ASCII only, which overwrite what is there', () => {
    for (const answer of everyDenial()) {
      for (const { header, appendAction } of answer.deniedResponse?.headers ?? []) {
        assert.match(header?.value ?? '', /^[\x20-\x7e]+$/)
        assert.equal(appendAction, 'OVERWRITE_IF_EXISTS_OR_ADD')
      }
    }
  })

  test('challenges the client, and names an error unless there were no credentials', () => {
    for (const reason of reasons) {
      const challenge = headersOf(decoded('wso2', reason))['www-authenticate']
      assert.equal(challenge, reason === 'missing_token' ? 'Bearer' : 'Bearer error="invalid_token"')
    }
  })

  test('says its reason in the metadata, and nowhere that the client sees', () => {
    for (const reason of reasons) {
      const answer = decoded('rfc6750', reason)
      assert.equal(answer.dynamicMetadata?.fields?.reason?.stringValue, reason)
      assert.ok(!`${answer.deniedResponse?.body}`.includes(reason))
    }
  })
})

test('the body in the style of WSO2 has its codes', () => {
  const bodyOf = (reason: DenyReason) => JSON.parse(decoded('wso2', reason).deniedResponse?.body ?? '')
  assert.deepEqual(bodyOf('revoked'), {
    error_message: 'Invalid Credentials',
    code: '900901',
    error_description: 'Invalid JWT token. Make sure you have provided the correct security credentials',
  })
  assert.equal(bodyOf('missing_token').code, '900902')
  assert.equal(headersOf(decoded('wso2', 'revoked'))['content-type'], 'application/json')
})

test('the body in the style of RFC 6750 names its error', () => {
  const body = JSON.parse(decoded('rfc6750', 'expired').deniedResponse?.body ?? '')
  assert.equal(body.error, 'invalid_token')
})

test('without a body there is no content type', () => {
  const answer = decoded('none', 'revoked')
  assert.equal(answer.deniedResponse?.body, '')
  assert.deepEqual(Object.keys(headersOf(answer)), ['www-authenticate'])
})

test('a gRPC client gets a short sentence and no JSON', () => {
  for (const style of styles) {
    const answer = decoded(style, 'revoked', true)
    assert.equal(answer.deniedResponse?.body, 'invalid token')
    assert.equal(headersOf(answer)['content-type'], undefined)
  }
})

test('an allow is one to Envoy: status 0 with ok_response, by its full definitions too', () => {
  const { allow } = createAnswers('wso2')
  const answer = checkResponseCodec.decode(allow)
  assert.equal(answer.status?.code, 0)
  assert.equal(answer.httpResponse, 'okResponse')
  const type = loadUpstream(['envoy/service/auth/v3/external_auth.proto']).lookupType(
    'envoy.service.auth.v3.CheckResponse',
  )
  assert.ok(Object.hasOwn(decode(type, allow), 'status'))
  assert.deepEqual(decode(type, allow).okResponse, {})
})

test('an answer is encoded once', () => {
  const answers = createAnswers('wso2')
  assert.equal(answers.deny('revoked', false), answers.deny('revoked', false))
  assert.notEqual(answers.deny('revoked', false), answers.deny('revoked', true))
})
