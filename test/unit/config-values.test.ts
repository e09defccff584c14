/** Durations, sizes and addresses of the configuration. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../runtime/config/address.ts'
import { parseDurationMs } from '../../runtime/config/duration.ts'
import { parseSizeBytes } from '../../runtime/config/size.ts'

test('a duration is a whole number and a unit', () => {
  const texts = ['0s', '250ms', '5s', '5m', '1h', '30d', '3650d']
  assert.deepEqual(
    texts.map(parseDurationMs),
    [0, 250, 5_000, 300_000, 3_600_000, 2_592_000_000, 315_360_000_000],
  )
})

test('a duration without a unit, with a fraction, a sign, a space or over ten years is refused', () => {
  for (const text of ['', '5', '5 s', '1.5s', '-1s', '5S', '5s ', '5w', '3651d', '999999999999d', '1e3s']) {
    assert.throws(
      () => parseDurationMs(text),
      { code: 'ERR_CONFIG_INVALID', message: /is not a duration/ },
      text,
    )
  }
})

test('a size is a whole number and a unit of powers of 1024', () => {
  const texts = ['0B', '512B', '64KiB', '128MiB', '2GiB']
  assert.deepEqual(texts.map(parseSizeBytes), [0, 512, 65_536, 134_217_728, 2_147_483_648])
  for (const text of ['', '64', '64KB', '64 MiB', '1.5GiB', '1025GiB', '-1B']) {
    assert.throws(() => parseSizeBytes(text), { code: 'ERR_CONFIG_INVALID', message: /is not a size/ }, text)
  }
})

test('an address is host:port, [IPv6]:port or unix:/path', () => {
  assert.deepEqual(parseAddress('127.0.0.1:8081'), { kind: 'tcp', host: '127.0.0.1', port: 8081 })
  assert.deepEqual(parseAddress('localhost:0'), { kind: 'tcp', host: 'localhost', port: 0 })
  assert.deepEqual(parseAddress('[::1]:8081'), { kind: 'tcp', host: '::1', port: 8081 })
  assert.deepEqual(parseAddress('unix:/run/rescind.sock'), { kind: 'unix', path: '/run/rescind.sock' })
})

test('anything else is not an address', () => {
  const texts = [
    '',
    '8081',
    ':8081',
    'host',
    'host:',
    'host:65536',
    '::1:8081',
    '[::1]',
    '[nonsense]:1',
    'a b:1',
  ]
  for (const text of [
    ...texts,
    '[1.2.3.4]:1',
    'http://a:1',
    'unix:',
    'unix:run/x',
    `unix:/${'x'.repeat(107)}`,
  ]) {
    assert.throws(
      () => parseAddress(text),
      { code: 'ERR_CONFIG_INVALID', message: /is not an address/ },
      text,
    )
  }
})

test('an address that is written and read again is the same', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
  const tcp = fc.record({
    kind: fc.constant('tcp' as const),
    host,
    port: fc.integer({ min: 0, max: 65_535 }),
  })
  fc.assert(
    fc.property(tcp, address => assert.deepEqual(parseAddress(formatAddress(address)), { ...address })),
  )
})
