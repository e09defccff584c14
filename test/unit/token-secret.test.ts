/** Client secrets: what verifies, what is remembered, and how much may run at once. */
import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { createGate } from '../../token/gate.ts'
import { assertSecretHash, createSecretVerifier, hashSecret, secretLimitBytes } from '../../token/secret.ts'

/** A cheap hash, made without the code under test. */
function cheapHash(secret: string, salt = 'salt-of-16-bytes'): string {
  const hash = scryptSync(secret, salt, 32, { cost: 1024, blockSize: 8, parallelization: 1 })
  const text = (octets: Buffer) => octets.toString('base64').replaceAll('=', '')
  return `$scrypt$ln=10,r=8,p=1$${text(Buffer.from(salt))}$${text(hash)}`
}

/** A verifier that can run no scrypt at all: what it still answers came from memory. */
const memoryOnly = { concurrency: 0, queueLimit: 0 }
const overloaded = { code: 'ERR_OVERLOADED' }

describe('hashSecret', () => {
  let hash: string
  before(async () => {
    hash = await hashSecret('correct horse')
  })

  it('gives the documented form, with a salt of its own', async () => {
    assert.match(hash, /^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(await hashSecret('correct horse'), hash)
    assertSecretHash(hash, 'clients[0].secretHash')
  })

  it('gives what verifies the secret and no other', async () => {
    const secrets = createSecretVerifier()
    assert.equal(await secrets.verify('app', 'correct horse', hash), true)
    assert.equal(await secrets.verify('app', 'correct horsE', hash), false)
  })

  it('refuses an empty secret and one that is too long', async () => {
    const refused = { code: 'ERR_CONFIG_INVALID', message: /1 to 1024 bytes/ }
    await assert.rejects(hashSecret(''), refused)
    await assert.rejects(hashSecret('x'.repeat(secretLimitBytes + 1)), refused)
  })
})

describe('assertSecretHash', () => {
  it('refuses what is no hash, or one that costs too little or too much, naming the place and not the text', () => {
    const hash = cheapHash('s')
    assertSecretHash(hash, 'x')
    const bad = [
      '',
      'plain-secret',
      hash.replace('$scrypt', '$argon2id'),
      hash.replace('ln=10', 'ln=9'),
      hash.replace('ln=10', 'ln=19'),
      hash.replace('ln=10', 'ln=99'),
      hash.replace('r=8', 'r=0'),
      hash.replace('p=1', 'p=17'),
      `${hash}=`,
      `${hash}\n`,
      hash.slice(0, hash.lastIndexOf('$')),
    ]
    for (const text of bad) {
      assert.throws(
        () => assertSecretHash(text, 'clients[0].secretHash'),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'ERR_CONFIG_INVALID')
          assert.match(error.message, /^clients\[0\]\.secretHash: must have the form \$scrypt/)
          return !error.message.includes('plain-secret')
        },
      )
    }
  })
})

describe('a secret verifier', () => {
  it('verifies hashes that another implementation made', async () => {
    const secrets = createSecretVerifier()
    assert.equal(await secrets.verify('app', 'pässwörd', cheapHash('pässwörd')), true)
    assert.equal(await secrets.verify('app', 'password', cheapHash('pässwörd')), false)
  })

  it('says no to an unknown subject, at the price of a scrypt', async () => {
    assert.equal(await createSecretVerifier().verify('nobody', 'secret', undefined), false)
    await assert.rejects(createSecretVerifier(memoryOnly).verify('nobody', 'secret', undefined), overloaded)
  })

  it('says no to an empty or too long secret without any scrypt', async () => {
    const secrets = createSecretVerifier(memoryOnly)
    const long = 'é'.repeat(secretLimitBytes / 2 + 1)
    for (const secret of ['', long]) {
      assert.equal(await secrets.verify('app', secret, cheapHash(secret)), false)
      assert.equal(await secrets.verify('nobody', secret, undefined), false)
    }
  })

  it('throws ERR_CONFIG_INVALID for a hash that is none', async () => {
    await assert.rejects(createSecretVerifier().verify('app', 's', 'plain'), { code: 'ERR_CONFIG_INVALID' })
  })
})

describe('the memory of a secret verifier', () => {
  const hash = cheapHash('secret')
  let nowMs = 0
  let blocked: Promise<unknown>[] = []
  let secrets = createSecretVerifier()

  /**
   * Whether an answer needs a scrypt: with the only place taken and no queue, it is then refused.
   * The place is taken by a costly verification that is still under way when the question is asked.
   */
  async function isAnsweredFromMemory(subject: string, secret: string, against: string | undefined) {
    const occupied = secrets.verify('occupant', 'wrong', undefined)
    const answer = await secrets
      .verify(subject, secret, against)
      .catch((error: Error & { code: string }) => error.code)
    blocked.push(occupied)
    await Promise.all(blocked.splice(0))
    return answer === 'ERR_OVERLOADED' ? false : answer
  }

  async function start(options = {}) {
    nowMs = 1_000
    blocked = []
    secrets = createSecretVerifier({ concurrency: 1, queueLimit: 0, now: () => nowMs, ...options })
    assert.equal(await secrets.verify('app', 'secret', hash), true)
  }

  it('answers for a secret that verified before, and only for that one', async () => {
    await start()
    assert.equal(await isAnsweredFromMemory('app', 'secret', hash), true)
    assert.equal(await isAnsweredFromMemory('app', 'Secret', hash), false)
    assert.equal(await isAnsweredFromMemory('other', 'secret', hash), false)
    assert.equal(await isAnsweredFromMemory('app', 'secret', undefined), false)
  })

  it('forgets after the given time', async () => {
    await start({ rememberSeconds: 600 })
    nowMs += 599_999
    assert.equal(await isAnsweredFromMemory('app', 'secret', hash), true)
    nowMs += 1
    assert.equal(await isAnsweredFromMemory('app', 'secret', hash), false)
  })

  it('does not count for another hash, so a changed configuration drops it', async () => {
    await start()
    assert.equal(await isAnsweredFromMemory('app', 'secret', cheapHash('secret', 'another-salt-16b')), false)
    assert.equal(await secrets.verify('app', 'secret', cheapHash('new secret')), false)
  })

  it('is bounded: the oldest goes first', async () => {
    await start({ rememberLimit: 2 })
    assert.equal(await secrets.verify('b', 'secret', hash), true)
    assert.equal(await secrets.verify('c', 'secret', hash), true)
    const answers = []
    for (const subject of ['app', 'b', 'c']) answers.push(await isAnsweredFromMemory(subject, 'secret', hash))
    assert.deepEqual(answers, [false, true, true])
  })
})

describe('the load that secret verification may cause', () => {
  it('is limited: beyond those that run and those that wait it throws ERR_OVERLOADED', async () => {
    const secrets = createSecretVerifier({ concurrency: 2, queueLimit: 3 })
    const hash = cheapHash('secret')
    const answers = await Promise.allSettled(
      [...'abcdefg'].map(subject => secrets.verify(subject, 'secret', hash)),
    )
    const fulfilled = answers.map(answer => answer.status === 'fulfilled' && answer.value)
    assert.deepEqual(fulfilled, [true, true, true, true, true, false, false])
    for (const answer of answers.slice(5)) {
      assert.equal(answer.status === 'rejected' && answer.reason.code, 'ERR_OVERLOADED')
    }
    assert.equal(await secrets.verify('g', 'secret', hash), true, 'and recovers')
  })

  it('is one scrypt for a burst of the same question', async () => {
    const secrets = createSecretVerifier({ concurrency: 1, queueLimit: 0 })
    const burst = Array.from({ length: 100 }, () => secrets.verify('app', 'secret', cheapHash('secret')))
    assert.deepEqual(new Set(await Promise.all(burst)), new Set([true]))
  })
})

describe('a gate', () => {
  it('runs no more at once than it should, in order of arrival, and survives failures', async () => {
    const gate = createGate(2, 10)
    const started: number[] = []
    let runningNow = 0
    let runningMax = 0
    const operation = (id: number) => async () => {
      started.push(id)
      runningMax = Math.max(runningMax, ++runningNow)
      await new Promise(resolve => setImmediate(resolve))
      runningNow--
      if (id % 2 === 0) throw new Error(`operation ${id}`)
      return id
    }
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(id => gate.run(operation(id))))
    assert.deepEqual(
      results.map(result => result.status === 'fulfilled'),
      [true, false, true, false, true, false],
    )
    assert.deepEqual(started, [1, 2, 3, 4, 5, 6])
    assert.equal(runningMax, 2)
  })
})
