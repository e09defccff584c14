/**
 * Client secrets: hashed by scrypt (RFC 7914) in the configuration, remembered by a fast hash once they verified.
 *
 * @module
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { RescindError } from '../revocation/error.ts'
import { createGate } from './gate.ts'

/** Settings of {@link createSecretVerifier}; all have defaults. */
export interface SecretVerifierOptions {
  /** How many scrypts run at once. Default 2. */
  readonly concurrency?: number | undefined
  /** How many more wait. Default 64. */
  readonly queueLimit?: number | undefined
  /** How long a secret that verified is remembered. Default 600. */
  readonly rememberSeconds?: number | undefined
  /** How many are remembered; beyond that the oldest go. Default 10,000. */
  readonly rememberLimit?: number | undefined
  /** A steady clock in milliseconds. Default: performance.now. */
  readonly now?: (() => number) | undefined
}

/** Verifies secrets of subjects (clients, administrators). */
export interface SecretVerifier {
  /**
   * Whether the secret is the subject's. A subject that does not exist costs the same time.
   *
   * @param hash what hashSecret made of the subject's secret; undefined if there is no such subject
   * @throws RescindError ERR_OVERLOADED if too many wait (answer 503), ERR_CONFIG_INVALID if the hash is none
   */
  verify(subject: string, secret: string, hash: string | undefined): Promise<boolean>
}

/** Longest secret; longer ones are wrong. */
export const secretLimitBytes = 1024

interface ScryptHash {
  /** Binary logarithm of scrypt's N. */
  readonly costLog2: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const hashText =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const defaultCost = { costLog2: 15, blockSize: 8, parallelization: 1 }
const saltBytes = 16
const hashBytes = 32
/** A configured hash must not take the memory of the process: 2^18 * 8 * 128. */
const memoryLimitBytes = 256 * 1024 * 1024

/**
 * Hashes a secret for the configuration.
 *
 * @returns `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, base64 without padding
 * @throws RescindError ERR_CONFIG_INVALID if the secret is empty or longer than {@link secretLimitBytes}
 */
export async function hashSecret(secret: string): Promise<string> {
  if (!isAcceptableLength(secret)) {
    throw new RescindError('ERR_CONFIG_INVALID', `secret: must have 1 to ${secretLimitBytes} bytes`)
  }
  const salt = randomBytes(saltBytes)
  const hash = await derive(secret, { ...defaultCost, salt, hash: Buffer.alloc(hashBytes) })
  const { costLog2, blockSize, parallelization } = defaultCost
  const parameters = `ln=${costLog2},r=${blockSize},p=${parallelization}`
  return `$scrypt$${parameters}$${toText(salt)}$${toText(hash)}`
}

/**
 * Checks that a text is a hash that {@link SecretVerifier.verify} can use: for the configuration, before it is used.
 *
 * @param where names the setting in the message; the hash itself is not shown
 * @throws RescindError ERR_CONFIG_INVALID
 */
export function assertSecretHash(text: string, where: string): void {
  readHash(text, where)
}

/** Creates a verifier with its own random key and memory. */
export function createSecretVerifier(options: SecretVerifierOptions = {}): SecretVerifier {
  const { rememberSeconds = 600, rememberLimit = 10_000, now = () => performance.now() } = options
  const gate = createGate(options.concurrency ?? 2, options.queueLimit ?? 64)
  const processKey = randomBytes(32)
  const remembered = new Map<string, { readonly mac: Buffer; readonly untilMs: number }>()
  const underWay = new Map<string, Promise<boolean>>()
  const dummy: ScryptHash = { ...defaultCost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) }

  function isRemembered(account: string, mac: Buffer): boolean {
    const entry = remembered.get(account)
    if (!entry) return false
    if (now() < entry.untilMs) return timingSafeEqual(entry.mac, mac)
    remembered.delete(account)
    return false
  }

  function remember(account: string, mac: Buffer): void {
    remembered.delete(account)
    const [oldest] = remembered.keys()
    if (oldest !== undefined && remembered.size >= rememberLimit) remembered.delete(oldest)
    if (rememberLimit > 0) remembered.set(account, { mac, untilMs: now() + rememberSeconds * 1000 })
  }

  async function verifySlowly(secret: string, expected: ScryptHash): Promise<boolean> {
    const actual = await gate.run(() => derive(secret, expected))
    return timingSafeEqual(actual, expected.hash) && expected !== dummy
  }

  /** The same question asked again while it is being answered waits for that answer: a burst costs one scrypt. */
  function verifyOnce(account: string, secret: string, mac: Buffer, expected: ScryptHash): Promise<boolean> {
    const question = `${account} ${mac.toString('base64')}`
    const asked = underWay.get(question)
    if (asked) return asked
    const answer = verifySlowly(secret, expected).finally(() => underWay.delete(question))
    underWay.set(question, answer)
    return answer
  }

  return {
    async verify(subject, secret, hash) {
      if (!isAcceptableLength(secret)) return false
      const expected = hash === undefined ? dummy : readHash(hash, `secret hash of ${subject}`)
      const account = JSON.stringify([subject, hash ?? null])
      const mac = createHmac('sha256', processKey).update(secret, 'utf8').digest()
      if (isRemembered(account, mac)) return true
      const genuine = await verifyOnce(account, secret, mac, expected)
      if (genuine) remember(account, mac)
      return genuine
    },
  }
}

function isAcceptableLength(secret: string): boolean {
  return secret.length > 0 && Buffer.byteLength(secret, 'utf8') <= secretLimitBytes
}

function readHash(text: string, where: string): ScryptHash {
  const [, ln, r, p, salt, hash] = hashText.exec(text) ?? []
  const parsed: ScryptHash = {
    costLog2: Number(ln),
    blockSize: Number(r),
    parallelization: Number(p),
    salt: Buffer.from(salt ?? '', 'base64'),
    hash: Buffer.from(hash ?? '', 'base64'),
  }
  if (hash === undefined || !isAffordable(parsed)) {
    const form = '$scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>'
    throw new RescindError('ERR_CONFIG_INVALID', `${where}: must have the form ${form}, within 256 MiB`)
  }
  return parsed
}

/** Neither so cheap that it protects nothing, nor so costly that it stops the process. */
function isAffordable({ costLog2, blockSize, parallelization }: ScryptHash): boolean {
  const positive = costLog2 >= 10 && blockSize >= 1 && parallelization >= 1 && parallelization <= 16
  return positive && 128 * 2 ** costLog2 * blockSize <= memoryLimitBytes
}

function derive(
  secret: string,
  { salt, hash, costLog2, blockSize, parallelization }: ScryptHash,
): Promise<Buffer> {
  const cost = 2 ** costLog2
  // What scrypt needs itself: 128 * r * (N + p + 2) octets; maxmem must not be below.
  const maxmem = 128 * blockSize * (cost + parallelization + 2) + 1024
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, hash.length, { cost, blockSize, parallelization, maxmem }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}

function toText(octets: Buffer): string {
  return octets.toString('base64').replaceAll('=', '')
}
