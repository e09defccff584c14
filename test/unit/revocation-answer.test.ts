/** What the revocation endpoint answers: headers that tell what was revoked, errors, scripts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  asScript,
  badClient,
  badRequest,
  isCallback,
  refused,
  succeeded,
  tooMany,
} from '../../revoker/endpoint/answer.ts'
import { metadataOf } from '../../revoker/endpoint/metadata.ts'
import { headersOf, headersOfAll, headerValue } from '../../revoker/endpoint/response-headers.ts'

const told = { accessToken: 'at', refreshToken: 'rt', user: 'alice' }

describe('the headers of an answer', () => {
  test('tell access token, refresh token and user as WSO2 does', () => {
    assert.deepEqual(headersOf(told, 'wso2', 'carbon.super'), {
      RevokedAccessToken: 'at',
      RevokedRefreshToken: 'rt',
      AuthorizedUser: 'alice@carbon.super',
    })
  })

  test('leave out what is not known', () => {
    assert.deepEqual(headersOf({ accessToken: 'at' }, 'gateway', 'carbon.super'), {
      RevokedAccessToken: 'at',
    })
  })

  test('tell nothing if they are off', () => {
    assert.deepEqual(headersOf(told, 'none', 'carbon.super'), {})
  })

  test('forbid storing, framing and sniffing, whichever are sent', () => {
    for (const kind of ['wso2', 'gateway', 'none'] as const) {
      const headers = headersOfAll(kind)
      assert.equal(headers['Cache-Control'], 'no-store')
      assert.equal(headers['X-Frame-Options'], 'DENY')
      assert.equal(headers['X-Content-Type-Options'], 'nosniff')
    }
  })

  test('name the methods and headers of the gateway only where they are asked for', () => {
    assert.equal(headersOfAll('gateway')['Access-Control-Allow-Methods'], 'POST')
    assert.equal(headersOfAll('wso2')['Access-Control-Allow-Methods'], undefined)
  })

  test('cannot be injected, and a token that is too long is left out, not cut', () => {
    assert.equal(headerValue('a\r\nSet-Cookie: b\u0000é\ud800'), 'a%0D%0ASet-Cookie: b%00%C3%A9%EF%BF%BD')
    assert.equal(headerValue('x'.repeat(8_192)).length, 8_192)
    assert.deepEqual(headersOf({ accessToken: 'x'.repeat(8_193), user: 'u' }, 'wso2', 'd'), {
      AuthorizedUser: 'u@d',
    })
  })
})

describe('a script', () => {
  test('calls its function without arguments when the token is revoked', () => {
    const { headers, body, status } = asScript(
      succeeded('revoked', { AuthorizedUser: 'u' }),
      'package.myCallback',
    )
    assert.equal(body, 'package.myCallback();')
    assert.equal(headers['Content-Type'], 'application/javascript')
    assert.equal(headers.AuthorizedUser, 'u')
    assert.equal(status, 200)
  })

  test('calls it with the error otherwise', () => {
    assert.equal(
      asScript(refused(badRequest('no token')), 'cb').body,
      'cb({"error_description":"no token","error":"invalid_request"});',
    )
  })

  const names = ['cb', 'package.callback', '$', '_a.$b', 'a1.b2']
  for (const name of names) test(`can call ${name}`, () => assert.equal(isCallback(name), true))

  const others = [
    'alert(1)//',
    'a b',
    '1a',
    'a..b',
    'a.',
    '.a',
    'a[0]',
    'a;b',
    '<script>',
    'é',
    'a\n',
    'x'.repeat(129),
  ]
  for (const name of others)
    test(`cannot call ${JSON.stringify(name).slice(0, 20)}`, () => assert.equal(isCallback(name), false))
})

describe('an error', () => {
  test('of credentials names the scheme only if the header was used', () => {
    const problem = badClient('who are you')
    assert.equal(refused(problem, true).headers['WWW-Authenticate'], 'Basic realm="rescind"')
    assert.equal(refused(problem, false).headers['WWW-Authenticate'], undefined)
    assert.equal(refused(badRequest('no'), true).headers['WWW-Authenticate'], undefined)
  })

  test('of a limit says when to come again, in whole seconds, at least one', () => {
    assert.equal(refused(tooMany(1)).headers['Retry-After'], '1')
    assert.equal(refused(tooMany(1_001)).headers['Retry-After'], '2')
  })
})

describe('the metadata', () => {
  test('name the endpoint and how clients prove who they are (RFC 8414)', () => {
    const document = metadataOf({
      publicUrl: 'https://r',
      authMethods: ['private_key_jwt', 'none'],
    }) as Record<string, unknown>
    assert.equal(document.issuer, 'https://r')
    assert.equal(document.revocation_endpoint, 'https://r/oauth2/revoke')
    assert.deepEqual(document.revocation_endpoint_auth_methods_supported, ['private_key_jwt', 'none'])
    assert.equal(
      (document.revocation_endpoint_auth_signing_alg_values_supported as string[]).includes('none'),
      false,
    )
  })

  test('leave the methods to the identity provider where requests are relayed', () => {
    const document = metadataOf({ publicUrl: 'https://r', authMethods: undefined })
    assert.deepEqual(Object.keys(document), ['issuer', 'response_types_supported', 'revocation_endpoint'])
  })
})
