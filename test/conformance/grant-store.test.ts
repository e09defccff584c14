/** The stores of grants, each through the same suite, and what each alone must hold. */
import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RescindError } from '../../revocation/error.ts'
import { startChild } from '../support/child.ts'
import { until } from '../support/condition.ts'
import { newFolder } from '../support/embedded-log.ts'
import {
  createLmdbUnderTest,
  createRedisUnderTest,
  grantReport,
  idOf,
  nowSeconds,
  openGrantsAt,
  openGrantsIn,
  reportedToken,
} from '../support/grant-stores.ts'
import { projectRoot } from '../support/project.ts'
import { type RedisCluster, startCluster } from '../support/redis-groups.ts'
import { requireService } from '../support/requires.ts'
import { testGrantStore } from './grant-store-suite.ts'

const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code
const program = fileURLToPath(new URL('../../revoker/grants/lmdb-grants.js', import.meta.url))

testGrantStore('LMDB', createLmdbUnderTest)

describe('grants in LMDB', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await newFolder()
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('in a folder that another process has are refused with a message that says so', async () => {
    const open = `import(${JSON.stringify(program)}).then(({ openLmdbGrants }) =>
      openLmdbGrants({ folder: ${JSON.stringify(folder)}, graceSeconds: 0, nowSeconds: () => 0 }))
      .then(() => { console.log('open'); setInterval(() => undefined, 1000) })`
    const child = await startChild(process.execPath, ['-e', open])
    await until('it is open', () => child.output().includes('open'))
    await assert.rejects(openGrantsIn(folder), (error: unknown) => {
      assert.ok(error instanceof RescindError)
      assert.match(error.message, /^revoker\.grants\.folder: .* is in use by another rescind process/)
      return error.code === 'ERR_LOG_IN_USE'
    })
    await child.kill('SIGKILL')
    await (await openGrantsIn(folder)).close()
  })

  test('in the place of a file are an error that names the setting', async () => {
    await assert.rejects(openGrantsIn(join(projectRoot, 'package.json')), hasCode('ERR_DATA_FOLDER'))
  })

  test('are counted, and leave nothing when they have expired', async () => {
    const store = await openGrantsIn(folder)
    const expiresAt = Math.ceil(nowSeconds()) + 1
    const brief = Array.from({ length: 1_200 }, (_, index) => reportedToken(`${index}`, { expiresAt }))
    await Promise.all(brief.map(each => store.add(grantReport(`grant ${each.token.name}`, [each]))))
    await store.add(grantReport('stays', [reportedToken('stays'), reportedToken('brief', { expiresAt })]))
    assert.equal(store.size?.(), 1_201)
    await until('only one is left', () => store.size?.() === 1)
    assert.ok(await store.find([idOf('stays')]))
    await store.close()
  })
})

describe('with Redis', requireService('redis'), () => {
  testGrantStore('Redis', createRedisUnderTest)

  test('two revokers share the grants of a Redis, and it forgets every key by itself', async () => {
    const under = await createRedisUnderTest()
    const other = await openGrantsAt(under.redis.url)
    const refresh = reportedToken('refresh', { form: 'refresh', name: '' })
    await under.store.add(grantReport('grant', [reportedToken('access'), refresh]))
    const found = await other.find([idOf('refresh')])
    assert.ok(found !== undefined)
    await other.revoke(found, nowSeconds() + 7_200)
    assert.equal(await under.store.add(grantReport('grant', [reportedToken('late')])), 'stored-revoked')
    const keys = (await under.redis.cli('keys', '*')).split('\n')
    assert.equal(keys.length, 4)
    for (const key of keys) assert.ok(Number(await under.redis.cli('pttl', key)) > 3_000_000, key)
    await other.close()
    await under.destroy()
  })

  test('a store whose Redis is away says so, and works again when it is back', async () => {
    const under = await createRedisUnderTest()
    await under.redis.kill('SIGKILL')
    const report = grantReport('grant', [reportedToken('access')])
    await assert.rejects(under.store.add(report), hasCode('ERR_GRANTS_UNAVAILABLE'))
    await assert.rejects(under.store.find([idOf('access')]), (error: unknown) => {
      assert.match(String(error), /revoker\.grants\.redis/)
      return hasCode('ERR_GRANTS_UNAVAILABLE')(error)
    })
    await under.redis.startAgain()
    await until('it is stored', async () => (await under.store.add(report)) === 'stored')
    await under.destroy()
  })

  test('a Redis that is full refuses, and evicts nothing', async () => {
    const under = await createRedisUnderTest()
    await under.store.add(grantReport('grant', [reportedToken('access')]))
    await under.redis.cli('config', 'set', 'maxmemory', '1')
    const report = grantReport('grant', [reportedToken('more')])
    await assert.rejects(under.store.add(report), hasCode('ERR_GRANTS_UNAVAILABLE'))
    assert.ok(await under.store.find([idOf('access')]))
    await under.destroy()
  })

  test('the rights of docs/revoker.md are enough', async () => {
    const document = await readFile(join(projectRoot, 'docs', 'revoker.md'), 'utf8')
    const rights = /The ACL user needs `~\{rescind-grants\}:\* ([^`]+)`/.exec(document)?.[1]?.split(' ') ?? []
    const under = await createRedisUnderTest()
    const user = ['revoker', 'reset', 'on', '>secret', '~{rescind-grants}:*', ...rights]
    await under.redis.cli('acl', 'setuser', ...user)
    const store = await openGrantsAt(under.redis.url, { username: 'revoker', password: 'secret' })
    const expired = reportedToken('expired', { expiresAt: 1 })
    const many = Array.from({ length: 20 }, (_, index) => reportedToken(`${index}`))
    await store.add(grantReport('grant', [expired, ...many]))
    await store.add(grantReport('grant', [reportedToken('access')], { subject: 'alice', scopes: [] }))
    const found = await store.find([idOf('access')])
    assert.ok(found !== undefined)
    await store.revoke(found, nowSeconds() + 60)
    await store.close()
    await under.destroy()
  })

  describe('in a cluster', () => {
    let cluster: RedisCluster
    beforeEach(async () => {
      cluster = await startCluster()
    })
    afterEach(() => cluster?.stop())

    test('all of it lies in one slot', async () => {
      const store = await openGrantsAt(cluster.url)
      const tokens = ['a', 'b', 'c'].map(name => reportedToken(name))
      for (const grant of ['one', 'two', 'three']) {
        const own = tokens.map(({ token }) => reportedToken(`${grant} ${token.name}`))
        assert.equal(await store.add(grantReport(grant, own)), 'stored')
        const found = await store.find([idOf('unknown'), idOf(`${grant} b`)])
        assert.ok(found !== undefined)
        assert.equal((await store.revoke(found, nowSeconds() + 60)).length, 3)
      }
      await store.close()
    })
  })
})
