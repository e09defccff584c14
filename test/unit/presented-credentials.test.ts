/** Which credentials a request carries (RFC 6749 section 2.3, RFC 7521 section 4.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jwtBearer, readPresented } from '../../revoker/clients/presented.ts'
import { readForm } from '../../revoker/endpoint/form.ts'

const presented = (fields: Record<string, string>, authorization?: string) => {
  const form = readForm(new URLSearchParams(fields).toString())
  if (typeof form === 'string') throw new Error(form)
  return readPresented(authorization, form)
}
const basicOf = (text: string, scheme = 'Basic') => `${scheme} ${Buffer.from(text).toString('base64')}`

test('Basic: id and secret are form-url-decoded, and a colon in the secret is part of it', () => {
  const { id, secret } = presented({}, basicOf('caf%C3%A9+1:a%3Ab:c%2B')) as { id: string; secret: string }
  assert.deepEqual([id, secret], ['café 1', 'a:b:c+'])
})

test('Basic: the scheme is written in any case', () => {
  assert.equal((presented({}, basicOf('a:b', 'bASIC')) as { id: string }).id, 'a')
})

test('Basic: a client_id beside it must be the same', () => {
  assert.equal((presented({ client_id: 'a' }, basicOf('a:b')) as { id: string }).id, 'a')
  assert.match((presented({ client_id: 'z' }, basicOf('a:b')) as { problem: string }).problem, /differs/)
})

for (const authorization of ['Bearer x', 'Basic', 'Basic !', basicOf('no colon'), basicOf('%zz:b'), ''])
  test(`an Authorization header ${JSON.stringify(authorization)} is refused, and the answer names the scheme`, () => {
    const found = presented({}, authorization)
    assert.equal('problem' in found && found.inHeader, true)
  })

test('a client_id alone is that of a public client', () => {
  assert.deepEqual(presented({ client_id: 'spa' }), { method: 'none', id: 'spa' })
})

test('an assertion is taken with or without client_id, but only of the type for JWTs', () => {
  const fields = { client_assertion: 'a.b.c', client_assertion_type: jwtBearer }
  assert.deepEqual(presented(fields), { method: 'assertion', id: undefined, assertion: 'a.b.c' })
  assert.deepEqual(presented({ ...fields, client_id: 'x' }), {
    method: 'assertion',
    id: 'x',
    assertion: 'a.b.c',
  })
  assert.match(
    (presented({ ...fields, client_assertion_type: 'saml' }) as { problem: string }).problem,
    /client_assertion_type/,
  )
})

const secret = { client_id: 'a', client_secret: 'b' }
const assertion = { client_assertion: 'a.b.c', client_assertion_type: jwtBearer }
const twice = [
  { what: 'header and secret', fields: secret, header: basicOf('a:b') },
  { what: 'header and assertion', fields: assertion, header: basicOf('a:b') },
  { what: 'secret and assertion', fields: { ...secret, ...assertion }, header: undefined },
]
for (const { what, fields, header } of twice)
  test(`two ways at once are refused: ${what}`, () => {
    assert.match((presented(fields, header) as { problem: string }).problem, /two ways at once/)
  })

test('without anything there is no client', () => {
  assert.deepEqual(presented({ token: 't' }), { problem: 'client credentials are missing', inHeader: false })
})
