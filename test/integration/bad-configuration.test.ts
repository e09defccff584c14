/**
 * What an operator can get wrong: `rescind` ends with one line that says what and where, and exit code 1.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { type CommandResult, runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import { close, listen } from '../support/listening.ts'
import { freePort } from '../support/ports.ts'
import { startRescind } from '../support/processes.ts'
import { type Stack, type StackConfig, startStack } from '../support/stack.ts'

/** A configuration with free ports that works. */
const goodConfig = (folder: string): StackConfig => ({
  log: { format: 'json' },
  eventLog: { folder: join(folder, 'log') },
  revoker: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' },
  adapter: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' },
  enforcer: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0', drainDelay: '0s' },
})

/** One line on standard error: `error: ... [CODE]`; nothing that looks like a stack trace anywhere; exit code 1. */
const assertOneLine = (result: CommandResult, code: string, message: RegExp): void => {
  assert.match(result.stderr, message)
  assert.match(result.stderr, /^error: [^\n]+\n$/)
  assert.ok(result.stderr.endsWith(` [${code}]\n`), result.stderr)
  assert.doesNotMatch(result.stdout, /"level":"(error|fatal)"|\bat \S+ \(/)
  assert.equal(result.exitCode, 1)
}

describe('rescind all', () => {
  let folder: string
  let taken: Server
  let takenAddress: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rescind-bad-'))
    taken = createServer()
    takenAddress = `127.0.0.1:${await listen(taken)}`
  })
  after(async () => {
    await close(taken, () => undefined)
    rmSync(folder, { recursive: true, force: true })
  })

  const runText = (text: string, role = 'all'): Promise<CommandResult> => {
    const file = join(folder, 'rescind.yaml')
    writeFileSync(file, text)
    return runCommandLine([role, '--config', file])
  }
  const run = (edit: (config: StackConfig) => void, role?: string): Promise<CommandResult> => {
    const config = goodConfig(folder)
    edit(config)
    return runText(stringify(config), role)
  }

  const mistakes: readonly {
    what: string
    code: string
    message: RegExp
    run: () => Promise<CommandResult>
  }[] = [
    {
      what: 'a configuration that is not YAML',
      code: 'ERR_CONFIG_INVALID',
      message: /rescind\.yaml:2:1: a tab cannot indent; use spaces/,
      run: () => runText('log:\n\tlevel: info\n'),
    },
    {
      what: 'a configuration that is a list',
      code: 'ERR_CONFIG_INVALID',
      message: /rescind\.yaml: must be a mapping of settings/,
      run: () => runText('- log\n'),
    },
    {
      what: 'a setting that is not known',
      code: 'ERR_CONFIG_INVALID',
      message: /rescind\.yaml: enforcer\.adress: .*address/,
      run: () =>
        run(config => {
          config.enforcer.adress = '127.0.0.1:8081'
        }),
    },
    {
      what: 'a value that is not allowed',
      code: 'ERR_CONFIG_INVALID',
      message: /rescind\.yaml: log\.level: .*trace.*fatal/,
      run: () =>
        run(config => {
          config.log.level = 'loud'
        }),
    },
    {
      what: 'a configuration file that is not there',
      code: 'ERR_CONFIG_UNREADABLE',
      message: /no-such-file\.yaml/,
      run: () => runCommandLine(['all', '--config', join(folder, 'no-such-file.yaml')]),
    },
    {
      what: 'a folder for the log that cannot be made',
      code: 'ERR_LOG_FOLDER',
      message: /eventLog\.folder: \S+rescind\.yaml\/log cannot be used \(.*\); name a folder/,
      run: () =>
        run(config => {
          config.eventLog.folder = join(folder, 'rescind.yaml', 'log')
        }),
    },
    {
      what: 'a part that cannot run alone on the embedded log',
      code: 'ERR_CONFIG_INVALID',
      message: /eventLog\.driver: .*rescind all/,
      run: () => run(() => undefined, 'adapter'),
    },
    {
      what: 'a file of certificates that is not there',
      code: 'ERR_TLS_FILE',
      message: /error: adapter\.tls\.certFile: \/none\.crt cannot be read \(ENOENT\)/,
      run: () =>
        run(config => {
          config.adapter.tls = { certFile: '/none.crt', keyFile: '/none.key' }
          config.enforcer.discovery = { tls: { enabled: true } }
        }),
    },
    {
      what: 'an enforcer in the clear at its own adapter that speaks TLS',
      code: 'ERR_CONFIG_INVALID',
      message: /error: enforcer\.discovery\.tls\.enabled: must be true: adapter\.tls is set/,
      run: () =>
        run(config => {
          config.adapter.tls = { certFile: '/none.crt', keyFile: '/none.key' }
        }),
    },
    {
      what: 'an enforcer with TLS at its own adapter that does not speak it',
      code: 'ERR_CONFIG_INVALID',
      message: /error: enforcer\.discovery\.tls\.enabled: must be false: adapter\.tls is not set/,
      run: () =>
        run(config => {
          config.enforcer.discovery = { tls: { enabled: true } }
        }),
    },
    {
      what: 'an enforcer without certificate at its own adapter that asks for one',
      code: 'ERR_CONFIG_INVALID',
      message: /error: enforcer\.discovery\.tls\.certFile: is missing: adapter\.tls\.clientCaFile/,
      run: () =>
        run(config => {
          config.adapter.tls = { certFile: '/a', keyFile: '/b', clientCaFile: '/c' }
          config.enforcer.discovery = { tls: { enabled: true } }
        }),
    },
    ...[
      ['revoker', 'address'],
      ['adapter', 'address'],
      ['adapter', 'adminAddress'],
      ['enforcer', 'address'],
      ['enforcer', 'adminAddress'],
    ].map(([section = '', name = '']) => ({
      what: `${section}.${name} in use`,
      code: 'ERR_ADDRESS_IN_USE',
      message: new RegExp(
        `error: ${section}\\.${name}: cannot listen at 127\\.0\\.0\\.1:\\d+: .*\\(EADDRINUSE\\)`,
      ),
      run: () =>
        run(config => {
          config[section][name] = takenAddress
        }),
    })),
  ]
  for (const mistake of mistakes) {
    test(`ends with one line about ${mistake.what}`, async () => {
      assertOneLine(await mistake.run(), mistake.code, mistake.message)
    })
  }

  test('lists several mistakes at once, each with its path', async () => {
    const result = await run(config => {
      config.log.level = 'loud'
      config.enforcer.address = 'here'
    })
    assert.equal(result.exitCode, 1)
    assert.match(
      result.stderr,
      /^error: 2 problems in the configuration:\n {2}\S+: log\.level: .*\n {2}\S+: enforcer\.address: /,
    )
  })

  test('is told apart from a good one by config check', async () => {
    const file = join(folder, 'checked.yaml')
    writeFileSync(file, stringify(goodConfig(folder)))
    const good = await runCommandLine(['config', 'check', '--config', file])
    assert.deepEqual(good, { exitCode: 0, stdout: `${file}: valid\n`, stderr: '' })
    const bad = await runCommandLine(['config', 'check', '--config', file], {
      env: { RESCIND_LOG_LEVEL: 'loud' },
    })
    assertOneLine(bad, 'ERR_CONFIG_INVALID', /RESCIND_LOG_LEVEL: log\.level: /)
  })
})

describe('a second rescind all on the same log folder', () => {
  let stack: Stack
  before(async () => {
    stack = await startStack()
  })
  after(() => stack.stop())

  test('ends with one line, and leaves the first one alone', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-second-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'rescind.yaml')
    writeFileSync(file, stringify({ ...goodConfig(folder), eventLog: stack.config.eventLog }))
    const result = await runCommandLine(['all', '--config', file])
    assertOneLine(result, 'ERR_LOG_IN_USE', /eventLog\.folder: \S+ is in use by another rescind process/)
    assert.equal((await stackCheck(t, stack)).code, 0)
  })
})

const stackCheck = async (t: TestContext, stack: Stack) => {
  const client = createEnforcerClient(stack.ports.enforcer)
  t.after(() => client.close())
  return client.checkToken(await stack.issuer.sign())
}

describe('keys that cannot be fetched', () => {
  test('are a warning that names the issuer, and "not ready", but no reason to end', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-keys-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const issuer = `http://127.0.0.1:${await freePort()}`
    const admin = await freePort()
    const config = goodConfig(folder)
    config.issuers = [{ issuer, jwksUri: `${issuer}/jwks` }]
    config.enforcer.adminAddress = `127.0.0.1:${admin}`
    const message = 'keys of the issuer could not be loaded'
    const rescind = await startRescind(['all'], { config, ready: line => line.msg === message })
    t.after(() => rescind.stop())

    const warning = rescind.logs().find(line => line.msg === message)
    assert.equal(warning?.issuer, issuer)
    assert.match(String(warning?.error), /ECONNREFUSED/)
    const answer = await until('the admin port answers', () => fetch(`http://127.0.0.1:${admin}/readyz`))
    assert.equal(answer.status, 503)
    const { reasons } = (await answer.json()) as { reasons: string[] }
    assert.ok(
      reasons.some(reason => reason.startsWith(`keys of ${issuer} were never loaded: `)),
      reasons.join(),
    )
    assert.equal(rescind.exitCode, undefined)
  })
})
