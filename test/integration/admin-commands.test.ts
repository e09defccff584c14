/** The commands for administrators, as they are typed, against a running `rescind all`. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startChild } from '../support/child.ts'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { projectRoot } from '../support/project.ts'
import { adminToken, type Stack, startStack } from '../support/stack.ts'

describe('the command line of an administrator', () => {
  let stack: Stack
  let enforcer: EnforcerClient
  let iss: string
  let env: Record<string, string>
  before(async () => {
    stack = await startStack()
    enforcer = createEnforcerClient(stack.ports.enforcer)
    iss = stack.issuer.issuer
    env = { RESCIND_ADMIN_TOKEN: adminToken, RESCIND_SERVER: `http://127.0.0.1:${stack.ports.revoker}` }
  })
  after(async () => {
    enforcer.close()
    await stack.stop()
  })

  const run = (args: readonly string[], input = '') => runCommandLine(args, { env, input })
  /** Standard output of a command that must succeed. */
  const output = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await run(args)
    assert.deepEqual([exitCode, stderr], [0, ''], args.join(' '))
    return stdout
  }
  const json = async (...args: readonly string[]) => JSON.parse(await output(...args, '--json'))
  const isRejected = (token: string) =>
    until('it is rejected', async () => (await enforcer.checkToken(token)).reason === 'revoked')

  test('revokes by claims, lists it, and restores it by its id', async () => {
    const token = await stack.issuer.sign({ sub: 'alice' })
    const claims = ['--iss', iss, '--sub', 'alice']
    const text = await output('revoke', ...claims, '--for', '2h', '--reason', 'left \u001b[2Jus')
    const [, id] =
      /^revoked: iss=\S+ sub=alice\nversion \d+, kept until \S+Z\nid ([0-9a-f]{64})\n$/.exec(text) ?? []
    assert.ok(id !== undefined, text)
    await isRejected(token)

    const listed = await output('list', '--sub', 'alice')
    assert.match(listed, /^revoked at +until +state +claims +issued until +by +reason +id\n/)
    assert.match(listed, /live +iss=\S+ sub=alice +- +admin:tester +left \?\[2Jus +[0-9a-f]{64}\n$/)
    const lines = (await output('list', '--sub', 'alice', '--json'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      lines.map(line => [line.id, line.reason]),
      [[id, 'left \u001b[2Jus']],
    )

    const restored = await output('restore', id, '--reason', 'came back')
    assert.match(
      restored,
      /^restored; it would have expired at \S+\nversion \d+\nnothing else of the same claims rejects them;/,
    )
    await until('it is accepted', async () => (await enforcer.checkToken(token)).status === 200)
    assert.equal(await output('list', '--sub', 'alice'), 'there are no such revocations\n')
    assert.match(await output('list', '--sub', 'alice', '--all'), / restored +iss=/)
  })

  test('is told what still rejects when it restores', async () => {
    const one = await json(
      'revoke',
      '--iss',
      iss,
      '--claim',
      'sub=bob',
      '--expires-at',
      '2100-01-01T00:00:00Z',
    )
    const two = await json('revoke', '--iss', iss, '--sub', 'bob', '--issued-before', 'now')
    assert.deepEqual([one.expiresAt, typeof two.issuedBefore], [4_102_444_800, 'number'])
    const text = await output('restore', one.id)
    assert.match(
      text,
      /what else still rejects the same tokens:\n {2}iss \+ sub, issued until \S+\n {4}since version \d+/,
    )
    assert.ok(text.includes(`id ${two.id}`))
    const answer = await json('restore', one.id)
    assert.deepEqual([answer.already, answer.searched], [true, 'key'])
  })

  test('ends with 3 when there is nothing to restore', async () => {
    const unknown = await run(['restore', '0'.repeat(64)])
    assert.equal(unknown.exitCode, 3)
    assert.match(
      unknown.stderr,
      /^error: the revoker at \S+ answered 404: no revocation with this id is live[^\n]*\n$/,
    )
  })

  test('waits until the enforcer has what is revoked or restored', async () => {
    const token = await stack.issuer.sign({ jti: 'waited' })
    const { id, confirmation } = await json('revoke', token, '--wait', '10')
    assert.deepEqual([confirmation.enforced, confirmation.enforcers], [true, 1])
    assert.equal((await enforcer.checkToken(token)).reason, 'revoked')
    assert.match(await output('restore', id, '--wait', '10'), /\nenforced by 1 of 1 enforcers/)
    assert.equal((await enforcer.checkToken(token)).status, 200)
  })

  const mistakes: readonly [args: readonly string[], message: RegExp][] = [
    [['revoke'], /give a token \(or - for standard input\), or claims/],
    [['revoke', '--sub', 'x'], /give one of --issued-before now/],
    [['revoke', '--sub', 'x', '--for', '1h', '--expires-at', '2100-01-01'], /give one of --issued-before/],
    [['revoke', '--sub', 'x', '--claim', 'sub=y', '--for', '1h'], /a claim is given twice/],
    [['revoke', '--claim', 'tenant', '--for', '1h'], /--claim tenant: must be name=value/],
    [['revoke', '--sub', 'x', '--for', 'soon'], /--for soon: must be a duration/],
    [['revoke', '--sub', 'x', '--expires-at', 'tomorrow'], /--expires-at tomorrow: must be seconds/],
    [['revoke', 'a.b.c', '--sub', 'x'], /give either a token/],
    [['revoke', '--sub', 'x', '--issued-before', 'then'], /--issued-before then: must be seconds/],
    [['events'], /give --follow, or the command rejected/],
  ]
  for (const [args, message] of mistakes) {
    test(`says what is wrong: rescind ${args.join(' ')}`, async () => {
      const { exitCode, stdout, stderr } = await run(args)
      assert.deepEqual([exitCode, stdout], [1, ''])
      assert.match(stderr, message)
      assert.match(stderr, /^error: [^\n]+ \[ERR_REQUEST_INVALID\]\n$/)
    })
  }

  test('explains a token from standard input', async () => {
    const token = await stack.issuer.sign({ sub: 'carol', jti: 'carol-1' })
    const { version, id } = await json(
      'revoke',
      '--iss',
      iss,
      '--sub',
      'carol',
      '--for',
      '1h',
      '--reason',
      'lost',
    )
    await isRejected(token)
    const { exitCode, stdout } = await run(['explain', '-'], `${token}\n`)
    assert.equal(exitCode, 0)
    assert.match(
      stdout,
      /^deny: revoked \(version \d+\)\nthe token is verified\nclaims: iss=\S+ sub=carol jti=carol-1 /,
    )
    assert.match(stdout, /\nlooked up by: .*iss \+ sub/)
    assert.match(
      stdout,
      new RegExp(
        `rejected by:\n {2}iss=\\S+ sub=carol\n {4}since version ${version}, until \\S+, by admin:tester \\(lost\\)\n {4}id ${id}\n`,
      ),
    )
    const forged = await run(
      ['explain', '-', '--json'],
      await stack.issuer.sign({ sub: 'carol' }, { alg: 'none' }),
    )
    const answer = JSON.parse(forged.stdout)
    assert.deepEqual([answer.verified, answer.claimsVerified, answer.revocations.length], [false, false, 1])
    assert.match(
      (await run(['explain', 'opaque'])).stdout,
      /^deny: malformed .*\nthe token is not verified: malformed\n/,
    )
  })

  test('declares and lists claim sets', async () => {
    assert.match(await output('claim-sets', 'declare', 'iss', 'tenant'), /^declared: iss \+ tenant, block/)
    assert.match(
      await output('claim-sets', 'declare', 'tenant', 'iss', '--cut'),
      /^declared: iss \+ tenant, cut/,
    )
    assert.match(await output('claim-sets', 'declare', 'tenant', 'iss'), /^declared \(it was already\)/)
    const listed = await output('claim-sets')
    assert.match(listed, /\njti +block \(until a time\) +built in\n/)
    assert.match(
      listed,
      /\niss \+ tenant +cut \(issued until a time\) +declared in version \d+\n2 of 16 are declared\n$/,
    )
    assert.equal((await json('claim-sets', 'list')).declared, 2)
  })

  test('follows events until the revoker ends, a line for each', async () => {
    const main = join(projectRoot, 'dist', 'cli', 'main.js')
    const follow = (...args: string[]) =>
      startChild(process.execPath, [main, 'events', '--follow', ...args], { env })
    const [lines, data] = [await follow(), await follow('--json')]
    try {
      const sub = 'erin'
      await until('both are shown something', async () => {
        await json('revoke', '--iss', iss, '--sub', sub, '--for', `${3600 + attempts++}s`, '--reason', 'lost')
        return [lines, data].every(child => child.output().includes(sub))
      })
      assert.match(
        lines.output(),
        /^\d+ revocation iss=\S+ sub=erin until \S+ by admin:tester \(lost\) id [0-9a-f]{64}\n/,
      )
      assert.equal(JSON.parse(data.output().split('\n')[0] as string).match.sub, sub)
    } finally {
      await Promise.all([lines.stop(), data.stop()])
    }
  })
  let attempts = 0

  test('has examples in the help of each command', async () => {
    for (const command of [
      'revoke',
      'restore',
      'list',
      'explain',
      'events',
      'claim-sets list',
      'completion',
    ]) {
      const help = await output(...command.split(' '), '--help')
      assert.match(help, /\nExamples:\n {2}\S/, command)
    }
  })
})

test('a revoker stops while somebody follows events', async t => {
  const other = await startStack()
  t.after(() => other.stop())
  const response = await fetch(`http://127.0.0.1:${other.ports.revoker}/events`, {
    headers: { authorization: `Bearer ${adminToken}` },
  })
  assert.equal(response.status, 200)
  await other.rescind.kill('SIGTERM')
  assert.equal(other.rescind.exitCode, 0)
  await assert.rejects(response.text())
})
