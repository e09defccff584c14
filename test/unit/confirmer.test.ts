/** Asking adapters in rounds, and what is bounded in that. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LiveState } from '../../revocation/live-state.ts'
import { createAdapterAddresses } from '../../revoker/confirmation/adapter-addresses.ts'
import type { AdapterSource, AdapterSources } from '../../revoker/confirmation/adapter-sources.ts'
import { confirmationText } from '../../revoker/confirmation/confirmation.ts'
import { type ConfirmerOptions, createConfirmer } from '../../revoker/confirmation/confirmer.ts'
import type { EnforcerView } from '../../revoker/confirmation/fleet-view.ts'
import { until } from '../support/condition.ts'
import { answerOf, enforcerView } from '../support/fleet-views.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

const never = new AbortController().signal
const published = { position: 7, isByJti: false }

/** The log has version 7 with digest 70. */
const logOf = (): Pick<ConfirmerOptions, 'log' | 'follower'> => {
  const state = new LiveState()
  state.epoch = 'epoch'
  state.advance(7, 70n)
  return {
    follower: { state, restarts: 0, reached: async () => true },
    log: { check: async () => ({ epoch: 'epoch', start: 1, end: 7, known: 'confirmed' }) },
  }
}

const sourcesOf = (...all: readonly AdapterSource[]): AdapterSources => ({
  isEmpty: all.length === 0,
  current: async () => all,
  close: () => undefined,
})

/** An adapter whose enforcers are what `nodes` gives at the time. */
const adapterWith = (nodes: () => readonly EnforcerView[]) => {
  const asked: { digest: bigint; waitMs: number }[] = []
  const source: AdapterSource = {
    ask: async ({ digest }, waitMs) => {
      asked.push({ digest, waitMs })
      return answerOf(nodes())
    },
  }
  return { source, asked }
}

const confirmerOf = (sources: AdapterSources, more: Partial<ConfirmerOptions> = {}) => {
  const { logger, lines } = createKeptLogger()
  return { lines, ...createConfirmer({ ...logOf(), sources, logger, ...more }) }
}

describe('a confirmer', () => {
  test('asks each adapter for the version with its digest, and lets it wait as long as is left', async () => {
    const { source, asked } = adapterWith(() => [enforcerView('one')])
    const { confirm } = confirmerOf(sourcesOf(source, source))
    assert.equal(
      confirmationText(await confirm(published, 5_000, never)),
      'enforced; version=7; enforcers=1/1',
    )
    assert.deepEqual(
      asked.map(({ digest }) => digest),
      [70n, 70n],
    )
    assert.ok(asked.every(({ waitMs }) => waitMs > 4_000 && waitMs <= 5_000 && Number.isInteger(waitMs)))
  })

  test('asks again until the answer is good: what is disconnected here may be connected elsewhere soon', async () => {
    let nodes = [enforcerView('one', { connected: false })]
    const { source, asked } = adapterWith(() => nodes)
    const waiting = confirmerOf(sourcesOf(source)).confirm(published, 60_000, never)
    await until('it has asked twice', () => asked.length >= 2)
    nodes = [enforcerView('one')]
    assert.equal((await waiting).enforced, true)
  })

  test('tells at the end of the time how many have it', async () => {
    const { source } = adapterWith(() => [enforcerView('one'), enforcerView('two', { leastAckedVersion: 6 })])
    const { confirm, lines } = confirmerOf(sourcesOf(source))
    const confirmation = await confirm(published, 30, never)
    assert.equal(confirmationText(confirmation), 'pending; version=7; enforcers=1/2')
    assert.deepEqual(
      lines.map(({ level, message }) => `${level}: ${message}`),
      ['warn: a revocation is not confirmed by all enforcers'],
    )
  })

  test('asks once when there is no time', async () => {
    const { source, asked } = adapterWith(() => [enforcerView('one', { leastAckedVersion: 6 })])
    const { enforced } = await confirmerOf(sourcesOf(source)).confirm(published, 0, never)
    assert.deepEqual([enforced, asked.map(({ waitMs }) => waitMs)], [false, [0]])
  })

  test('stops asking when nobody listens any more', async () => {
    const gone = new AbortController()
    const { source, asked } = adapterWith(() => [])
    const waiting = confirmerOf(sourcesOf(source)).confirm(published, 60_000, gone.signal)
    await until('it has asked', () => asked.length > 0)
    gone.abort()
    assert.equal((await waiting).enforced, false)
  })

  test('that is closed answers those who wait', async () => {
    const { source, asked } = adapterWith(() => [])
    const confirmer = confirmerOf(sourcesOf(source))
    const waiting = confirmer.confirm(published, 60_000, never)
    await until('it has asked', () => asked.length > 0)
    confirmer.close()
    assert.equal((await waiting).enforced, false)
  })

  test('has no answer without adapters, and says which setting is missing', async () => {
    const { enforced, acked, enforcers, reasons } = await confirmerOf(sourcesOf()).confirm(
      published,
      60_000,
      never,
    )
    assert.deepEqual([enforced, acked, enforcers], [false, 0, 0])
    assert.match(reasons.join(), /revoker\.confirmation\.adapters/)
  })

  test('lets a limited number wait, and tells the others so', async () => {
    const gone = new AbortController()
    const { source, asked } = adapterWith(() => [])
    const { confirm } = confirmerOf(sourcesOf(source), { confirmationsLimit: 1 })
    const waiting = confirm(published, 60_000, gone.signal)
    await until('it has asked', () => asked.length > 0)
    const { enforced, reasons } = await confirm(published, 50, never)
    assert.deepEqual([enforced, reasons], [false, ['too many are waiting; try again']])
    gone.abort()
    await waiting
    assert.equal(
      (await confirm(published, 0, never)).reasons.includes('too many are waiting; try again'),
      false,
    )
  })

  test('is pending, not failing, while the log cannot be asked or is another one', async () => {
    const { source } = adapterWith(() => [enforcerView('one')])
    const log = logOf()
    const checks: ConfirmerOptions['log']['check'][] = [
      async () => {
        throw new Error('away')
      },
      async () => ({ epoch: 'epoch', start: 1, end: 9, known: 'different' }),
      async () => ({ epoch: 'other', start: 1, end: 9, known: 'confirmed' }),
    ]
    for (const check of checks) {
      const { confirm } = confirmerOf(sourcesOf(source), { ...log, log: { check } })
      const { enforced, reasons } = await confirm(published, 0, never)
      assert.deepEqual([enforced, reasons], [false, ['the event log does not confirm this version now']])
    }
  })
})

describe('the addresses of a name', () => {
  const createName = (found: { now: readonly string[] | Error }) => {
    const clock = { ms: 0 }
    const name = createAdapterAddresses({
      name: 'adapters',
      rememberedMs: 60_000,
      nowMs: () => clock.ms,
      resolve: async () => {
        if (found.now instanceof Error) throw found.now
        return found.now
      },
    })
    return { name, clock }
  }

  test('are those that it has, and for a while those that it had: enforcers of an adapter that crashed live on', async () => {
    const found = { now: ['10.0.0.1', '10.0.0.2'] }
    const { name, clock } = createName(found)
    assert.deepEqual(await name.current(), { addresses: ['10.0.0.1', '10.0.0.2'] })
    found.now = ['10.0.0.2', '10.0.0.3']
    clock.ms = 59_999
    assert.deepEqual((await name.current()).addresses.toSorted(), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    clock.ms = 60_000
    assert.deepEqual((await name.current()).addresses.toSorted(), ['10.0.0.2', '10.0.0.3'])
  })

  test('stay known while the name cannot be resolved, which is a problem', async () => {
    const found: { now: readonly string[] | Error } = { now: ['10.0.0.1'] }
    const { name } = createName(found)
    await name.current()
    found.now = new Error('SERVFAIL')
    assert.deepEqual(await name.current(), {
      addresses: ['10.0.0.1'],
      problem: 'cannot be resolved (SERVFAIL)',
    })
  })

  test('are limited; more are a problem', async () => {
    const { name } = createName({ now: Array.from({ length: 65 }, (_, index) => `10.0.0.${index}`) })
    const { addresses, problem } = await name.current()
    assert.deepEqual([addresses.length, problem], [64, 'has more than 64 addresses'])
  })
})
