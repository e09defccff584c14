/** What enforcer and adapter refuse of each other, and how they come together again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deltaResponseCodec, type RevocationBatchFields } from '../../proto/wire.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { EntryPacker } from '../../revocation/entries.ts'
import {
  type Clock,
  connect,
  createAdapterSide,
  createEnforcerSide,
  enforces,
  isSignOfLife,
  receive,
  responseWith,
  spoil,
} from '../support/discovery.ts'
import { block, token } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const at50: Clock = { ms: 0, seconds: 50 }
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const withJti = (index: number) => token({ jti: `j${index}` })

/** An enforcer at version 1 of `epoch-1`, and its stream. */
const started = (clock: Clock) => {
  const adapter = createAdapterSide(clock)
  adapter.append(revoked(1))
  const enforcer = createEnforcerSide()
  const link = connect(clock, adapter, enforcer)
  link.settle()
  return { adapter, enforcer, link }
}

/** Entries whose second and third word, by which the table is divided, are the same. */
const aimedEntries = (count: number): Buffer => {
  const packer = new EntryPacker()
  for (let index = 1; index <= count; index++) packer.add(1, 1, 1, index, 1_000, 0)
  return packer.take()
}

describe('an enforcer refuses, and keeps what it has, on', () => {
  const good: RevocationBatchFields = {
    format: 1,
    derivation: 1,
    epoch: 'epoch-1',
    from: 1,
    to: 2,
    target: 2,
    kind: 'DELTA',
    toDigest: Buffer.alloc(8, 1),
    maxTokenLifetimeS: 100,
    claimSets: [{ names: ['jti'], cut: false }],
    claimSetGeneration: claimSetGeneration([{ names: ['jti'], cut: false }]),
    entries: Buffer.alloc(24, 7),
  }
  const seventeen = Array.from({ length: 17 }, (_, index) => ({ untilS: index, seconds: 10 + index }))
  const bad: readonly (readonly [string, RevocationBatchFields, RegExp])[] = [
    ['an unknown format', { format: 2 }, /format 2/],
    ['an unknown derivation', { derivation: 2 }, /derivation 2/],
    ['an unknown kind', { kind: 9 as never }, /kind/],
    ['no kind', { kind: 'KIND_UNSPECIFIED' }, /kind/],
    ['a delta from a version that it does not have', { from: 0 }, /version 0 .* version 1/],
    ['a delta of another epoch', { epoch: 'epoch-2' }, /epoch/],
    ['a version beyond 2^53', { to: 2 ** 60 }, /range/],
    ['more earlier lifetimes than a log can have', { earlierLifetimes: seventeen }, /lifetimes/],
    ['entries that are not a multiple of 24 bytes', { entries: Buffer.alloc(25) }, /multiple of 24/],
    ['claim sets that do not have the generation that it names', { claimSetGeneration: 5 }, /claim sets/],
    ['claim sets left out that it does not know', { claimSets: [], claimSetGeneration: 5 }, /claim sets/],
    [
      'an unknown name with $',
      {
        claimSets: [{ names: ['$new'], cut: false }],
        claimSetGeneration: claimSetGeneration([{ names: ['$new'], cut: false }]),
      },
      /\$new/,
    ],
    ['the middle of a full state without its beginning', { kind: 'FULL_MORE' }, /beginning/],
    ['the end of a full state without its beginning', { kind: 'FULL_LAST' }, /beginning/],
  ]

  test('nothing of a good batch', () => {
    const { enforcer } = started(now())
    const { request, problem } = receive(enforcer, responseWith(good, 'n7'), at50)
    assert.equal(problem, undefined)
    assert.deepEqual([request?.responseNonce, request?.errorDetail], ['n7', undefined])
    assert.equal(enforcer.snapshot.version, 2)
    assert.equal(enforcer.snapshot.table.size, 2)
  })

  for (const [name, change, reason] of bad) {
    test(name, () => {
      const { enforcer } = started(now())
      const before = { ...enforcer.snapshot }
      const { request, received, problem } = receive(
        enforcer,
        responseWith({ ...good, ...change }, 'n7'),
        at50,
      )
      assert.match(problem ?? '', reason)
      assert.equal(received, undefined)
      assert.equal(request?.responseNonce, 'n7')
      assert.match(request?.errorDetail?.message ?? '', reason)
      assert.deepEqual({ ...enforcer.snapshot }, before)
      assert.equal(enforcer.snapshot.table.size, 1)
      assert.deepEqual(enforcer.notReadyReasons(), [])
    })
  }

  test('more entries than its table can hold, which does not make it reach their version', () => {
    const { enforcer } = started(now())
    const { problem } = receive(enforcer, responseWith({ ...good, entries: aimedEntries(5_000) }), at50)
    assert.match(problem ?? '', /cannot grow/)
    assert.equal(enforcer.snapshot.version, 1)
    assert.equal(enforces(enforcer, withJti(1), 50), true)
  })

  const carrying = (...resources: { type_url: string; value: Buffer }[]) =>
    deltaResponseCodec.decode(
      deltaResponseCodec.encode({ nonce: 'n7', resources: resources.map(resource => ({ resource })) }),
    )
  const url = 'type.googleapis.com/rescind.discovery.v1.RevocationBatch'
  const strange = {
    'a response with a nonce and without a batch': carrying(),
    'a response with two batches': carrying(
      { type_url: url, value: Buffer.of() },
      { type_url: url, value: Buffer.of() },
    ),
    'a resource of another type': carrying({ type_url: 'type.googleapis.com/other', value: Buffer.of() }),
    'a batch that is not protobuf': carrying({ type_url: url, value: Buffer.from('ffffffff', 'hex') }),
    'an empty batch': carrying({ type_url: url, value: Buffer.of() }),
  }
  for (const [name, response] of Object.entries(strange)) {
    test(name, () => {
      const { enforcer } = started(now())
      const before = { ...enforcer.snapshot }
      const { request } = receive(enforcer, response, at50)
      assert.equal(request?.responseNonce, 'n7')
      assert.ok((request?.errorDetail?.message ?? '').length > 0)
      assert.deepEqual({ ...enforcer.snapshot }, before)
    })
  }
})

describe('a refused batch', () => {
  const isQuiet = (written: Buffer | undefined) => written === undefined || isSignOfLife(written)

  test('is followed by a full state after a back-off and not at once, and longer after each further refusal', () => {
    const clock = now()
    const { adapter, link } = started(clock)
    const waits: number[] = []
    adapter.append(revoked(2))
    adapter.flush()
    for (let refusal = 0; refusal < 8; refusal++) {
      while (link.write() !== undefined);
      link.down[0] = spoil(link.down[0] as Buffer)
      while (link.read() !== undefined);
      while (link.answer());
      const sinceMs = clock.ms
      while (isQuiet(link.write())) clock.ms += 250
      link.down.splice(0, link.down.length - 1)
      waits.push(clock.ms - sinceMs)
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    assert.match(link.session.status.nackError ?? '', /multiple of 24/)
    link.settle()
    assert.equal(link.session.status.nackError, undefined)
    assert.equal(link.enforcer.snapshot.version, 2)
  })

  test('of a walk leaves no hole: what is under way behind it does not take the enforcer to the new version', () => {
    const clock = now()
    const { adapter, enforcer } = started(clock)
    const events = Array.from({ length: 9 }, (_, index) => revoked(index + 2))
    adapter.append(...events)
    adapter.flush()
    const link = connect(clock, adapter, enforcer)
    while (link.write() !== undefined);
    assert.ok(link.down.length > 2)
    link.down[0] = spoil(link.down[0] as Buffer)
    while (link.read() !== undefined);
    assert.equal(enforcer.snapshot.version, 1)
    connect(clock, adapter, enforcer).settle()
    assert.equal(enforcer.snapshot.version, 10)
    for (let index = 1; index <= 10; index++) assert.equal(enforces(enforcer, withJti(index), 50), true)
  })

  test('of a full state leaves no hole: the rest of it is not swapped in', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    adapter.append(...Array.from({ length: 12 }, (_, index) => revoked(index)))
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    while (link.write() !== undefined);
    link.down[1] = spoil(link.down[1] as Buffer)
    while (link.read() !== undefined);
    assert.equal(enforcer.notReadyReasons().length, 1)
    while (link.answer());
    clock.ms += 1_000
    link.settle()
    assert.deepEqual(enforcer.notReadyReasons(), [])
    for (let index = 0; index < 12; index++) assert.equal(enforces(enforcer, withJti(index), 50), true)
  })

  test('and those behind it, refused late, do not begin the full state again', () => {
    const clock = now()
    const { adapter, link } = started(clock)
    for (let index = 2; index < 5; index++) {
      adapter.append(revoked(index))
      adapter.flush()
      link.write()
    }
    link.down[0] = spoil(link.down[0] as Buffer)
    while (link.read() !== undefined);
    assert.equal(link.up.length, 3)
    link.answer()
    clock.ms += 1_000
    const kinds = link.settle().map(({ kind }) => kind)
    assert.deepEqual(kinds, ['FULL_FIRST', 'FULL_MORE', 'FULL_LAST'])
    assert.equal(link.session.status.nackError, undefined)
    assert.equal(link.enforcer.snapshot.version, 4)
  })

  test('that was a heartbeat brings the full state too', () => {
    const clock = now()
    const { link } = started(clock)
    clock.ms += 1_000
    link.write()
    link.down[0] = spoil(link.down[0] as Buffer)
    link.settle()
    assert.match(link.session.status.nackError ?? '', /multiple of 24/)
    clock.ms += 1_000
    assert.deepEqual(
      link.settle().map(({ kind }) => kind),
      ['FULL_FIRST', 'FULL_LAST'],
    )
  })
})

describe('an enforcer is not ready', () => {
  const withOptions = (options: Parameters<typeof createEnforcerSide>[0]) => {
    const clock = now()
    const adapter = createAdapterSide(clock, { toleranceSeconds: 5 })
    adapter.append({ kind: 'token-lifetime', seconds: 100, declaredAt: 0 }, revoked(1), revoked(2))
    const enforcer = createEnforcerSide(options)
    connect(clock, adapter, enforcer).settle()
    return enforcer.notReadyReasons()
  }

  test('when its clock tolerance is above that of the adapter, which is sent', () => {
    assert.deepEqual(withOptions({ clockToleranceSeconds: 5 }), [])
    assert.match(withOptions({ clockToleranceSeconds: 6 }).join(), /clockTolerance .* 5 s/)
  })

  test('when its longest token lifetime is above that of the log', () => {
    assert.deepEqual(withOptions({ maxTokenLifetimeSeconds: 100 }), [])
    assert.match(withOptions({ maxTokenLifetimeSeconds: 101 }).join(), /maxTokenLifetime .* 100 s/)
  })

  test('when it holds more revocations than its own limit', () => {
    assert.deepEqual(withOptions({ revocationsLimit: 2 }), [])
    assert.match(withOptions({ revocationsLimit: 1 }).join(), /maxRevocations \(1\) is passed: 2/)
  })
})
