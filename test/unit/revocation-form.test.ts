/** The form of a revocation request (RFC 7009 section 2.1, RFC 6749 section 3.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUtf8, readForm } from '../../revoker/endpoint/form.ts'

const formOf = (text: string) => {
  const form = readForm(text)
  if (typeof form === 'string') throw new Error(form)
  return form
}

test('parameters are decoded as forms are: plus is a space, %2B a plus', () => {
  const form = formOf('token=a%2Bb+c%3D&client_id=caf%C3%A9')
  assert.equal(form.get('token'), 'a+b c=')
  assert.equal(form.get('client_id'), 'café')
})

test('the form is encoded anew: nothing is passed on that was not understood here', () => {
  assert.equal(formOf('to%6Ben=a%2Bb+c%20d&x&y=é').text, 'token=a%2Bb+c+d&x=&y=%C3%A9')
})

const hidden = ['to\u0000ken', 'token[]', 'token;x', ' token', 't\u00f6ken', '']
for (const name of hidden)
  test(`a name that others could read as another one is refused: ${JSON.stringify(name)}`, () => {
    const text = `token=a&${encodeURIComponent(name)}=b`
    assert.match(String(readForm(text)), /^the name of a parameter/)
  })

test('names that differ in case only are the same', () => {
  assert.equal(readForm('token=a&Token=b'), 'the parameter Token is repeated')
})

test('a form is read as UTF-8, and one of another charset is none', () => {
  const types = [undefined, 'a/b', 'a/b;charset=UTF-8', 'a/b; charset="utf-8"', 'a/b; charset=utf8']
  for (const type of types) assert.equal(isUtf8(type), true, type)
  for (const type of ['a/b;charset=UTF-16BE', 'a/b; x=y; CHARSET = "utf-7"', 'a/b;charset=iso-8859-1'])
    assert.equal(isUtf8(type), false, type)
})

test('a parameter without a value is one that is missing', () => {
  const form = formOf('token=&client_id')
  assert.deepEqual(
    [form.get('token'), form.get('client_id'), form.get('other')],
    [undefined, undefined, undefined],
  )
})

test('a parameter that is there twice is named, also without a value, also if it is unknown', () => {
  assert.equal(readForm('token=a&token=a'), 'the parameter token is repeated')
  assert.equal(readForm('token=a&hint=&hint='), 'the parameter hint is repeated')
  assert.equal(readForm('to%6ben=a&token=b'), 'the parameter token is repeated')
  assert.equal(
    readForm(`${'x'.repeat(99)}=1&${'x'.repeat(99)}=2`),
    `the parameter ${'x'.repeat(40)} is repeated`,
  )
})

test('32 parameters are read, 33 are too many', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&')
  assert.equal(formOf(many(32)).get('p31'), '1')
  assert.equal(readForm(many(33)), 'too many parameters')
})

test('a name of an object is a parameter like any other', () => {
  assert.equal(formOf('__proto__=a&constructor=b').get('__proto__'), 'a')
  assert.equal(formOf('token=a').get('constructor'), undefined)
})
