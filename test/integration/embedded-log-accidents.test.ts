/** `rescind all` whose log is put back from an older copy, with enforcers of their own. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { adapterAlarm, enforcerAlarm } from '../support/log-accident.ts'
import { type Part, startPart } from '../support/part.ts'
import { freePort } from '../support/ports.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { createTokenRounds, type TokenRounds } from '../support/token-rounds.ts'

describe('an embedded log that is put back from an older copy', () => {
  let folder: string
  let stack: Stack
  let rounds: TokenRounds
  /** Runs all the time. */
  let witness: Part & { client: EnforcerClient }
  const ends: (() => Promise<unknown>)[] = []

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rescind-restored-'))
    ends.push(async () => rmSync(folder, { recursive: true, force: true }))
    stack = await startStack({
      edit: config => {
        config.eventLog.folder = join(folder, 'log')
        config.adapter.dataFolder = join(folder, 'adapter')
      },
    })
    ends.push(stack.stop)
    rounds = createTokenRounds(stack.issuer, stack.ports.revoker)
    witness = await startEnforcer()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  const startEnforcer = async () => {
    const port = await freePort()
    const part = await startPart('enforcer', {
      config: {
        log: stack.config.log,
        issuers: stack.config.issuers,
        enforcer: {
          address: `127.0.0.1:${port}`,
          adminAddress: '127.0.0.1:0',
          adapters: [`127.0.0.1:${stack.ports.adapter}`],
          drainDelay: '0s',
        },
      },
    })
    const client = createEnforcerClient(port)
    ends.push(
      () => part.end('SIGTERM'),
      async () => client.close(),
    )
    return { ...part, client }
  }
  const stopped = async (action: () => void) => {
    await stack.rescind.kill('SIGTERM')
    await stack.rescind.stop()
    action()
    await stack.startAgain()
  }

  test('is no loss: what was enforced stays so, everywhere, after any restart', async () => {
    const [log, copy] = [join(folder, 'log'), join(folder, 'copy')]
    await rounds.revoke(10)
    await stopped(() => cpSync(log, copy, { recursive: true }))
    await rounds.revoke(20)
    await rounds.reached([witness])
    const own = { client: createEnforcerClient(stack.ports.enforcer) }
    ends.push(async () => own.client.close())
    await rounds.check(own)

    await rounds.watchedWhile([witness], async () => {
      await stopped(() => {
        rmSync(log, { recursive: true })
        cpSync(copy, log, { recursive: true })
      })
      await until('the adapter has noticed', () => stack.rescind.output().includes(adapterAlarm))
      await rounds.check(own)
      // Those that come now take the positions of those that were lost, and more.
      await rounds.revoke(30)
      await rounds.reached([own, witness])
      await until('the enforcer was told', () => witness.said(enforcerAlarm).length > 0)
      assert.equal(witness.said(enforcerAlarm)[0]?.level, 'error')

      const later = await startEnforcer()
      await rounds.check(later)
      await stack.kill()
      await stack.startAgain()
      await later.end('SIGKILL')
      await later.startAgain()
      for (const enforcer of [own, witness, later]) await rounds.check(enforcer)
    })
  })
})
