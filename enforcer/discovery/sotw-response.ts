/**
 * Reads a response of the state-of-the-world protocol token by token: one message may hold many. No I/O.
 *
 * @module
 */
import { revokedTokenCodec, revokedTokenTypeUrl } from '../../proto/wire.ts'
import { RescindError } from '../../revocation/error.ts'
import { WireReader } from '../check/wire-reader.ts'
import { invalidBatch } from './received-batch.ts'

/** A revoked token as it was sent. */
export interface SentToken {
  readonly jti: string
  /** Milliseconds since 1970; 0 if it was not sent. */
  readonly expiresAtMs: number
}

/** A response that is being read. */
export interface SotwResponse {
  readonly version: string
  /** Named by the answer. */
  readonly nonce: string
  /**
   * The next token; undefined at the end.
   *
   * @throws RescindError ERR_BATCH_INVALID for a resource that is no token; those after it can still be read.
   */
  next(): SentToken | undefined
}

/** Fields of DiscoveryResponse and of google.protobuf.Any. */
const versionField = 1
const resourcesField = 2
const nonceField = 5
const typeUrlField = 1
const valueField = 2

const resourcesLimit = 500_000
const textBytesLimit = 1_024
const what = 'response of the adapter'

/**
 * Reads what surrounds the tokens.
 *
 * @throws RescindError ERR_BATCH_INVALID if the bytes are not a response, or it holds too much.
 */
export function readSotwResponse(bytes: Buffer): SotwResponse {
  const { version, nonce } = readFrame(bytes)
  const reader = new WireReader(bytes, 0, what)
  return {
    version,
    nonce,
    next: () => {
      while (reader.next(bytes.length)) {
        if (reader.field !== resourcesField) {
          reader.skip(bytes.length)
          continue
        }
        const end = reader.enter(bytes.length)
        const start = reader.position
        reader.moveTo(end)
        return readToken(bytes, start, end)
      }
      return undefined
    },
  }
}

/** Passes over all fields once: then the bytes are known to be a message, and what stands last in it too. */
function readFrame(bytes: Buffer): { version: string; nonce: string } {
  const reader = new WireReader(bytes, 0, what)
  let [version, nonce, resources] = ['', '', 0]
  try {
    while (reader.next(bytes.length)) {
      if (reader.field === versionField) version = readText(reader, bytes)
      else if (reader.field === nonceField) nonce = readText(reader, bytes)
      else if (reader.field === resourcesField && ++resources > resourcesLimit)
        throw invalidBatch(`more than ${resourcesLimit} tokens in a message`)
      else reader.skip(bytes.length)
    }
  } catch (error) {
    throw error instanceof RescindError ? invalidBatch(error.message) : error
  }
  return { version, nonce }
}

function readText(reader: WireReader, bytes: Buffer): string {
  const end = reader.enter(bytes.length)
  if (end - reader.position > textBytesLimit) throw invalidBatch('a version or nonce is too long')
  const text = bytes.toString('utf8', reader.position, end)
  reader.moveTo(end)
  return text
}

function readToken(bytes: Buffer, start: number, end: number): SentToken {
  const reader = new WireReader(bytes, start, what)
  let typeUrl = ''
  let value = bytes.subarray(0, 0)
  try {
    while (reader.next(end)) {
      if (reader.field !== typeUrlField && reader.field !== valueField) {
        reader.skip(end)
        continue
      }
      const valueEnd = reader.enter(end)
      if (reader.field === typeUrlField) typeUrl = bytes.toString('latin1', reader.position, valueEnd)
      else value = bytes.subarray(reader.position, valueEnd)
      reader.moveTo(valueEnd)
    }
  } catch {
    throw invalidBatch('a resource is not valid protobuf')
  }
  if (typeUrl !== revokedTokenTypeUrl) throw invalidBatch('a resource is not a RevokedToken')
  return decodeToken(value)
}

function decodeToken(value: Buffer): SentToken {
  try {
    // The decoder takes a text that is cut off for a shorter one.
    const reader = new WireReader(value, 0, what)
    while (reader.next(value.length)) reader.skip(value.length)
    const { jti, expirytime } = revokedTokenCodec.decode(value)
    return { jti, expiresAtMs: expirytime }
  } catch {
    throw invalidBatch('a RevokedToken is not valid protobuf')
  }
}
