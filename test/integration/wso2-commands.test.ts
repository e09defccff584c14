/**
 * The commands that the documentation of WSO2's products tells people to type, run by curl as they stand (host, port,
 * token and credentials aside), over HTTP and HTTPS.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runCommand } from '../services/command.ts'
import { createAuthority, createTestFolder, type TestFolder } from '../support/certificates.ts'
import { freePort } from '../support/ports.ts'
import { requireService } from '../support/requires.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'

const form = 'Content-Type: application/x-www-form-urlencoded'
const formUtf8 = 'Content-Type: application/x-www-form-urlencoded;charset=UTF-8'

describe('a command of the documentation of WSO2', requireService('curl'), () => {
  let stack: Stack
  let folder: TestFolder
  let secure: string
  let plain: string
  before(async () => {
    folder = createTestFolder()
    const authority = await createAuthority(folder.path, 'authority')
    const files = await authority.issue('revoker', {
      names: 'DNS:localhost,IP:127.0.0.1',
      usage: 'serverAuth',
    })
    const address = `127.0.0.1:${await freePort()}`
    stack = await startStack({
      edit: config => {
        const { issuer } = config.issuers[0]
        config.revoker.tls = { address, ...files }
        config.revoker.responseHeaders = 'gateway'
        config.revoker.corsOrigins = ['https://app.example']
        config.revoker.clients.push({ id: 'spa', public: true, issuer })
      },
    })
    secure = `https://${address}`
    plain = `http://127.0.0.1:${stack.ports.revoker}`
  })
  after(async () => {
    await stack.stop()
    folder.remove()
  })

  const curl = async (...args: string[]) => {
    const text = await runCommand('curl', ['-s', '-D', '-', ...args], { timeoutMs: 20_000 })
    const [head = '', body = ''] = text.split('\r\n\r\n')
    const [status = '', ...lines] = head.split('\r\n')
    const headers = new Map(
      lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    )
    return { status: Number(status.split(' ')[1]), headers, body }
  }
  const tokenOf = (client: string = testClient.id) => stack.issuer.sign({ client_id: client, sub: 'admin' })
  const basicHeader = `Authorization: Basic ${Buffer.from(`${testClient.id}:${testClient.secret}`).toString('base64')}`
  const user = `${testClient.id}:${testClient.secret}`

  const commands: readonly { what: string; client?: string; args: (token: string) => string[] }[] = [
    {
      what: '/oauth2/revoke with an Authorization header',
      args: token => ['-k', '-d', `token=${token}`, '-H', basicHeader, '-H', form, `${secure}/oauth2/revoke`],
    },
    {
      what: '/revoke with a hint',
      args: token => [
        ...['-k', '-d', `token=${token}&token_type_hint=access_token`],
        ...['-H', basicHeader, '-H', form, `${secure}/revoke`],
      ],
    },
    {
      what: '--basic -u with a charset',
      args: token => [
        ...['-X', 'POST', '--basic', '-u', user, '-H', formUtf8, '-k'],
        ...['-d', `token=${token}&token_type_hint=access_token`, `${secure}/oauth2/revoke`],
      ],
    },
    {
      what: 'client_id alone over HTTP (implicit grant)',
      client: 'spa',
      args: token => [
        ...['-X', 'POST', '-H', formUtf8, '-k'],
        ...['-d', `token=${token}&token_type_hint=access_token&client_id=spa`, `${plain}/revoke`],
      ],
    },
    {
      what: 'client_id alone over HTTPS (JWT bearer grant)',
      client: 'spa',
      args: token => [
        ...['-X', 'POST', '-H', formUtf8, '-k'],
        ...['-d', `token=${token}&token_type_hint=access_token&client_id=spa`, `${secure}/oauth2/revoke`],
      ],
    },
  ]
  for (const { what, client, args } of commands) {
    test(`revokes: ${what}`, async () => {
      const token = await tokenOf(client)
      const { status, headers, body } = await curl(...args(token))
      assert.deepEqual([status, body], [200, ''])
      const expected = {
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'x-xss-protection': '1; mode=block',
        'cache-control': 'no-store',
        pragma: 'no-cache',
        revokedaccesstoken: token,
        authorizeduser: 'admin@carbon.super',
        'content-type': 'text/html',
        'content-length': '0',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers':
          'authorization,Access-Control-Allow-Origin,Content-Type,SOAPAction,Authorization',
      }
      for (const [name, value] of Object.entries(expected)) assert.equal(headers.get(name), value, name)
    })
  }

  test('revokes with JSONP, and calls the callback', async () => {
    const token = await tokenOf()
    const data = `token=${token}&token_type_hint=access_token&callback=package.myCallback`
    const answer = await curl(
      '-X',
      'POST',
      '--basic',
      '-u',
      user,
      '-H',
      formUtf8,
      '-k',
      '-d',
      data,
      `${secure}/oauth2/revoke`,
    )
    assert.deepEqual([answer.status, answer.body], [200, 'package.myCallback();'])
    assert.equal(answer.headers.get('content-type'), 'application/javascript')
    assert.equal(answer.headers.get('revokedaccesstoken'), token)
  })

  test('with JSONP and wrong credentials calls the callback with the error', async () => {
    const data = `token=${await tokenOf()}&callback=cb`
    const answer = await curl('-u', 'nobody:x', '-d', data, `${plain}/revoke`)
    assert.equal(answer.status, 401)
    assert.equal(
      answer.body,
      'cb({"error_description":"client authentication failed","error":"invalid_client"});',
    )
  })

  test('with a callback that is no identifier is refused without calling anything', async () => {
    const data = `token=${await tokenOf()}&callback=alert(1)//`
    const answer = await curl('-u', user, '-d', data, `${plain}/revoke`)
    assert.equal(answer.status, 400)
    assert.equal((JSON.parse(answer.body) as { error: string }).error, 'invalid_request')
  })

  test('of a token that is not known is answered with 200 and tells nothing', async () => {
    const answer = await curl('-u', user, '-d', 'token=0a1b2c3d-unknown', `${secure}/oauth2/revoke`, '-k')
    assert.deepEqual([answer.status, answer.body], [200, ''])
    assert.deepEqual(
      [...answer.headers.keys()].filter(name => /revoked|authorized/.test(name)),
      [],
    )
  })

  test('may come from a page of a configured origin, and of no other', async () => {
    const preflight = (origin: string) =>
      curl(
        ...['-X', 'OPTIONS', '-H', `Origin: ${origin}`, '-H', 'Access-Control-Request-Method: POST'],
        ...['-H', 'Access-Control-Request-Headers: authorization', `${plain}/oauth2/revoke`],
      )
    const allowed = await preflight('https://app.example')
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Authorization/)
    const other = await preflight('https://evil.example')
    assert.equal(other.headers.get('access-control-allow-origin'), undefined)
    const answer = await curl(
      ...['-H', 'Origin: https://app.example', '-u', user, '-d', `token=${await tokenOf()}`],
      `${plain}/revoke`,
    )
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /RevokedAccessToken/)
  })

  test('finds the endpoint in the metadata of RFC 8414', async () => {
    const answer = await curl('-k', `${secure}/.well-known/oauth-authorization-server`)
    const document = JSON.parse(answer.body) as Record<string, unknown>
    assert.equal(document.revocation_endpoint, `${secure}/oauth2/revoke`)
    assert.deepEqual(document.revocation_endpoint_auth_methods_supported, [
      'client_secret_basic',
      'client_secret_post',
      'none',
    ])
  })
})
