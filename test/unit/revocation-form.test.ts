/** The form of a revocation request (RFC 7009 section 2.1, RFC 6749 section 3.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForm } from '../../revoker/endpoint/form.ts'

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

test('the form is kept as it came', () => {
  assert.equal(formOf('token=a%2Bb&x=').text, 'token=a%2Bb&x=')
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
