/** Where a Redis is, as people write it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeRedis, parseRedisUrl } from '../../runtime/config/redis-url.ts'

const refused = (url: string, message: RegExp) =>
  assert.throws(() => parseRedisUrl(url), { code: 'ERR_CONFIG_INVALID', message }, url)

test('a URL of one server names host, port and database, all but the host with a default', () => {
  const plain = { kind: 'standalone', tls: false, username: undefined, masterName: undefined }
  assert.deepEqual(parseRedisUrl('redis://localhost'), {
    ...plain,
    nodes: [{ host: 'localhost', port: 6_379 }],
    db: 0,
  })
  assert.deepEqual(parseRedisUrl('redis://10.0.0.1:7000/3'), {
    ...plain,
    nodes: [{ host: '10.0.0.1', port: 7_000 }],
    db: 3,
  })
  assert.deepEqual(parseRedisUrl('redis://[::1]:7000').nodes, [{ host: '::1', port: 7_000 }])
  assert.equal(parseRedisUrl('rediss://localhost/').tls, true)
})

test('a URL of sentinels names them, the master and the database', () => {
  assert.deepEqual(parseRedisUrl('rediss+sentinel://a:1,b/my%20master/2'), {
    kind: 'sentinel',
    tls: true,
    username: undefined,
    nodes: [
      { host: 'a', port: 1 },
      { host: 'b', port: 26_379 },
    ],
    masterName: 'my master',
    db: 2,
  })
  assert.equal(parseRedisUrl('redis+sentinel://a/m').db, 0)
})

test('a URL of a cluster names some of its nodes', () => {
  const { kind, nodes, db } = parseRedisUrl('redis+cluster://a:1,b:2,c')
  assert.deepEqual([kind, nodes.length, db], ['cluster', 3, 0])
})

test('a user may stand in the URL, a password may not, and no message shows it', () => {
  assert.equal(parseRedisUrl('redis://re%40scind@localhost').username, 're@scind')
  for (const url of [
    'redis://u:hunter2@localhost',
    'redis://:hunter2@localhost',
    'rediss+cluster://u:hunter2@a',
  ])
    refused(
      url,
      /^(?!.*hunter2)eventLog\.redis\.url: holds a password, which belongs into the setting password/,
    )
  refused('redis://u:hunter/2@localhost', /^(?!.*hunter)/)
})

test('anything else is refused with the forms that there are', () => {
  const others = [
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://localhost:0',
    'redis://localhost:65536',
    'redis://a,b',
    'redis://a b',
    'redis://localhost/x',
    'redis://localhost?db=1',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/m/0/x',
    'redis+cluster://a:1/1',
    'redis://%@localhost',
    `redis+cluster://${Array.from({ length: 33 }, (_, index) => `h${index}`).join(',')}`,
  ]
  for (const url of others) refused(url, /redis\+sentinel:\/\/host:port,host:port\/master-name/)
})

test('what is shown of a URL is hosts and ports', () => {
  assert.equal(describeRedis(parseRedisUrl('redis+sentinel://user@a:1,[::1]:2/m')), 'a:1,[::1]:2')
})
