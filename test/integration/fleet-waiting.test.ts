/** `GET /nodes` of a running adapter for those who wait for a version. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FleetAnswer } from '../../adapter/fleet-status.ts'
import { until } from '../support/condition.ts'
import { takeVersion } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { connectToldEnforcer } from '../support/told-enforcer.ts'

describe('the fleet of a running adapter, for those who wait for a version', () => {
  let stack: Stack
  let url: string
  before(async () => {
    stack = await startStack()
    url = `http://127.0.0.1:${stack.ports.adapterAdmin}/nodes`
  })
  after(() => stack?.stop())

  const ask = async (query: string, signal?: AbortSignal) => {
    const response = await fetch(`${url}?${query}`, { ...(signal && { signal }) })
    return { status: response.status, body: (await response.json()) as FleetAnswer }
  }
  const anyDigest = '0000000000000000'

  test('says at once how a version relates to what is served, and which log that is', async () => {
    const version = await takeVersion(stack.ports.revoker)
    const known = async (asked: number) =>
      (await ask(`version=${asked}&digest=${anyDigest}&waitMs=0`)).body.known
    assert.equal(await until('it is read', async () => (await known(version)) !== 'ahead'), true)
    assert.deepEqual([await known(version), await known(version + 1)], ['different', 'ahead'])
    const { epoch, settled } = (await ask(`version=${version}&digest=${anyDigest}&waitMs=0`)).body
    assert.match(epoch ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(settled, true, 'the log was new')
  })

  test('refuses a query that is not one', async () => {
    for (const query of [
      'version=1',
      `version=x&digest=${anyDigest}&waitMs=0`,
      `version=1&digest=${anyDigest}&waitMs=99999`,
      `version=1&version=2&digest=${anyDigest}&waitMs=0`,
      'more=1',
    ])
      assert.equal((await ask(query)).status, 400, query)
  })

  test('lets a bounded number wait; who leaves makes room', async () => {
    const silent = connectToldEnforcer(stack.ports.adapter, { instance: 'silent', does: 'keeps silent' })
    const leaving = Array.from({ length: 128 }, () => new AbortController())
    const query = `version=999999&digest=${anyDigest}&waitMs=30000`
    const waiting = leaving.map(({ signal }) => ask(query, signal).catch(() => undefined))
    await until('one more is refused', async () => {
      const patience = AbortSignal.timeout(200)
      return (await ask(query, patience)).status === 503
    })
    for (const each of leaving) each.abort()
    await Promise.all(waiting)
    await until(
      'there is room again',
      async () => (await ask(`version=999999&digest=${anyDigest}&waitMs=1`)).status === 200,
    )
    silent.leave({ goodbye: true })
  })
})
