/**
 * What an operator sees of events that could not be used: over the admin API, and with `rescind events rejected`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createDeadLetters, type DeadLetters } from '../../event-log/dead-letters.ts'
import { hashSecret } from '../../token/secret.ts'
import { type AdminServer, startAdminServer } from '../support/admin-server.ts'
import { runCommandLine } from '../support/command-line.ts'

const token = 'token-of-an-operator'
const letter = {
  source: 'inbox:hr',
  position: 'hr.revocations/2/17',
  at: 1_628_175_430,
  problem: 'match.iss: not an issuer that this sender may speak for\u001b[2J',
  bytes: 321,
  sha256: 'ab'.repeat(32),
}

describe('rejected events', () => {
  let server: AdminServer
  let letters: DeadLetters
  let url: string
  before(async () => {
    letters = createDeadLetters(2)
    const tokens = [{ name: 'operator', hash: await hashSecret(token) }]
    server = await startAdminServer({ credentials: { tokens }, deadLetters: letters })
    url = server.url
  })
  after(() => server.close())

  const run = (...args: readonly string[]) =>
    runCommandLine(['events', 'rejected', '--server', url, ...args], { env: { RESCIND_ADMIN_TOKEN: token } })

  test('are shown to administrators only', async () => {
    const answer = (authorization?: string) =>
      fetch(`${url}/events/rejected`, { headers: authorization === undefined ? {} : { authorization } })
    assert.equal((await answer()).status, 401)
    assert.equal((await answer('Bearer wrong')).status, 401)
    const { status, ...rest } = await answer(`Bearer ${token}`)
    assert.equal(status, 200, JSON.stringify(rest))
    const { exitCode, stderr } = await runCommandLine(['events', 'rejected', '--server', url], {
      env: { RESCIND_ADMIN_TOKEN: 'wrong' },
    })
    assert.equal(exitCode, 1)
    assert.match(stderr, /answered 401: a bearer token/)
  })

  test('are a table for people, which nothing that others wrote can disturb, and JSON for programs', async () => {
    assert.equal((await run()).stdout, 'no events were rejected\n')
    for (let count = 0; count < 3; count++) letters.add(letter)
    const { exitCode, stdout } = await run()
    assert.equal(exitCode, 0)
    const [head, row, , last] = stdout.split('\n') as [string, string, string, string]
    assert.match(head, /^time +source +position +bytes +sha256 +problem$/)
    assert.match(
      row,
      /^2021-08-05T14:57:10Z {2}inbox:hr {2}hr\.revocations\/2\/17 {2}321 +abababababababab +match\.iss: /,
    )
    assert.equal(row.indexOf('match.iss'), head.indexOf('problem'))
    assert.ok(row.endsWith('?[2J'))
    assert.equal(last, 'the last 2 of 3')
    assert.deepEqual(JSON.parse((await run('--json')).stdout), { total: 3, events: [letter, letter] })
  })
})
