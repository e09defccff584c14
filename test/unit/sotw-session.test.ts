/** A state-of-the-world stream at the adapter: everything at first, then what is new, and anew whenever in doubt. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { revokedTokenTypeUrl } from '../../proto/wire.ts'
import type { Clock } from '../support/discovery.ts'
import { block, cut, idOf, restore } from '../support/revocations.ts'
import { connectSotw, createSotwSide, type SotwLink, type SotwSide } from '../support/sotw.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const many = (count: number) => Array.from({ length: count }, (_, index) => revoked(index))
const jtis = (count: number) => Array.from({ length: count }, (_, index) => `j${index}`).sort()
const known = ({ tokens }: SotwLink) => [...tokens.keys()].sort()
/** What a client of this protocol can use of a log, and what it must not get. */
const mixed = [
  revoked(1),
  block({ iss: 'https://a', jti: 'with-issuer' }, 2_000),
  block({ jti: 5 }, 1_000),
  block({ jti: 'expired' }, 50),
  block({ jti: 'restored' }, 1_000),
  restore(block({ jti: 'restored' }, 1_000)),
  cut({ jti: 'cut' }, 100),
  block({ sub: 'alice' }, 1_000),
  block({ sid: 's', iss: 'https://a' }, 1_000),
]
const usable = [
  ['5', 1_000_000],
  ['j1', 1_000_000],
  ['with-issuer', 2_000_000],
]

describe('a new stream', () => {
  test('gets every live revocation by jti, with its expiry in milliseconds, and nothing else', () => {
    const adapter = createSotwSide(now())
    adapter.append(...mixed)
    const link = connectSotw(now(), adapter)
    link.settle()
    assert.deepEqual([...link.tokens].sort(), usable)
    assert.equal(link.last?.typeUrl, revokedTokenTypeUrl)
  })

  test('on an empty log gets an empty message, so that it is seen that it has everything', () => {
    const link = connectSotw(now(), createSotwSide(now()))
    assert.equal(link.settle(), 1)
    assert.deepEqual([link.tokens.size, link.session.status.ackedVersion], [0, 0])
  })

  test('is told of a token that was revoked twice: until the later of both times, whichever it hears last', () => {
    const adapter = createSotwSide(now())
    for (const expiresAt of [900, 3_000, 800]) {
      adapter.append(block({ jti: 'twice' }, expiresAt, idOf(['twice', expiresAt])))
    }
    const link = connectSotw(now(), adapter)
    link.settle()
    assert.deepEqual([...link.tokens], [['twice', 3_000_000]])
  })

  test('gets many in small steps and in messages that clients take; only with the last it has the version', () => {
    const adapter = createSotwSide(now())
    adapter.append(...many(6_000))
    const link = connectSotw(now(), adapter)
    let messages = 0
    while (link.tokens.size < 6_000) {
      assert.equal(link.session.status.ackedVersion, -1)
      const bytes = link.step()
      if (bytes === undefined) continue
      messages += 1
      assert.ok(bytes.length < 2 ** 20)
      link.answer({ versionInfo: link.last?.versionInfo ?? '', responseNonce: link.last?.nonce ?? '' })
    }
    link.settle()
    assert.ok(messages > 1)
    assert.ok(adapter.largestStep <= 200)
    assert.equal(link.session.status.ackedVersion, 6_000)
  })

  test('reads no more in one turn because many streams begin', () => {
    const turns: (() => void)[] = []
    const adapter = createSotwSide(now(), { nextTurn: action => turns.push(action) })
    adapter.append(...many(600))
    const links = Array.from({ length: 50 }, () => connectSotw(now(), adapter))
    let most = 0
    while (links.some(link => link.tokens.size < 600)) {
      const before = adapter.reads
      for (const link of links) link.step()
      most = Math.max(most, adapter.reads - before)
      assert.equal(turns.length, 1)
      for (const begin of turns.splice(0)) begin()
    }
    assert.ok(most <= 4, `${most} reads in one turn`)
  })

  test('misses nothing that is revoked between any two steps', () => {
    for (let steps = 0; steps < 12; steps++) {
      const adapter = createSotwSide(now(), { messageBytesLimit: 20_000 })
      adapter.append(...many(1_200))
      const link = connectSotw(now(), adapter)
      for (let step = 0; step < steps; step++) link.step()
      adapter.append(revoked(1_200))
      link.settle()
      assert.deepEqual(known(link), jtis(1_201), `after ${steps} steps`)
      assert.equal(link.session.status.ackedVersion, 1_201)
    }
  })

  test('waits until what was applied is on disk', () => {
    const adapter = createSotwSide(now())
    adapter.diskIsSlow = true
    adapter.append(revoked(0))
    const link = connectSotw(now(), adapter)
    assert.equal(link.settle(), 0)
    adapter.append(revoked(1))
    link.settle()
    assert.deepEqual(known(link), ['j1'])
    adapter.diskIsSlow = false
    link.settle()
    assert.deepEqual(known(link), ['j0', 'j1'])
  })
})

describe('what is new', () => {
  test('is pushed once, to every stream as the same bytes, with the position as version', () => {
    const adapter = createSotwSide(now())
    const links = [connectSotw(now(), adapter), connectSotw(now(), adapter)]
    for (const link of links) link.settle()
    adapter.append(...mixed)
    const [first, second] = links.map(link => link.step())
    assert.ok(first !== undefined && first === second)
    assert.deepEqual([...(links[0] as SotwLink).tokens].sort(), [...usable, ['restored', 1_000_000]].sort())
    assert.equal(links[0]?.last?.versionInfo, String(mixed.length))
    assert.equal(links[0]?.step(), undefined)
  })

  test('is not pushed again when trimming appends it again, but with a later expiry', () => {
    const adapter = createSotwSide(now())
    const link = connectSotw(now(), adapter)
    adapter.append(revoked(0))
    link.settle()
    adapter.append(revoked(0), revoked(0))
    assert.equal(link.settle(), 0)
    adapter.append({ ...revoked(0), expiresAt: 5_000 })
    link.settle()
    assert.deepEqual([...link.tokens], [['j0', 5_000_000]])
  })

  test('comes to a stream that lags past what is kept together with everything else', () => {
    const adapter = createSotwSide(now(), { ringBytesLimit: 2_000 })
    const slow = connectSotw(now(), adapter)
    slow.settle()
    for (const event of many(300)) adapter.append(event)
    slow.settle()
    assert.deepEqual(known(slow), jtis(300))
    assert.equal(slow.session.status.ackedVersion, 300)
  })

  test('comes also when nobody listened for a while', () => {
    const adapter = createSotwSide(now())
    const link = connectSotw(now(), adapter)
    link.settle()
    adapter.appendUnheard(revoked(0))
    adapter.batches.skip()
    adapter.append(revoked(1))
    link.settle()
    assert.deepEqual(known(link), ['j0', 'j1'])
  })
})

describe('a state that begins anew', () => {
  const restart = (adapter: SotwSide) => {
    adapter.state.restart()
    adapter.restarts += 1
    adapter.complete = false
    adapter.batches.skip()
  }

  test('lets streams wait, and then brings everything again', () => {
    const adapter = createSotwSide(now())
    adapter.append(...many(5))
    const link = connectSotw(now(), adapter)
    link.settle()
    restart(adapter)
    adapter.append(revoked(5), revoked(6))
    assert.equal(link.settle(), 0)
    assert.equal(link.session.status.ackedVersion, -1)
    adapter.complete = true
    link.settle()
    // What the log lost stays revoked.
    assert.deepEqual(known(link), jtis(7))
    assert.equal(link.session.status.ackedVersion, 2)
  })

  test('an adapter that is not complete sends nothing to a stream that comes then', () => {
    const adapter = createSotwSide(now())
    adapter.append(revoked(0))
    adapter.complete = false
    const link = connectSotw(now(), adapter)
    assert.equal(link.settle(), 0)
    adapter.complete = true
    assert.equal(link.settle(), 1)
  })
})
