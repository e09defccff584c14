/**
 * Takes from the bytes of a CheckRequest what a check needs: a few headers. Everything else is passed over.
 *
 * @module
 */
import { WireReader } from './wire-reader.ts'

/** What a check reads of a request. */
export interface CheckInput {
  /** Every Authorization header, as Latin-1 text; Envoy joins repeated ones with a comma. */
  readonly authorization: readonly string[]
  /** Its content-type begins with `application/grpc`, so a denial's body becomes grpc-message. */
  readonly isGrpc: boolean
}

/** Field numbers on the way to the headers, see proto/envoy/service/auth/v3. */
const path = { attributes: 1, request: 4, http: 2, headers: 3, headerMap: 13, headerMapHeaders: 1 } as const

/** Field numbers of a header: of a map entry, and of a HeaderValue, which also has the value as bytes. */
const header = { key: 1, value: 2, rawValue: 3 } as const

const authorizationName = 'authorization'
const contentTypeName = 'content-type'
const grpcPrefix = 'application/grpc'

/** The bit in which ASCII letters of both cases differ. */
const upperToLower = 0x20

class Headers implements CheckInput {
  readonly authorization: string[] = []
  isGrpc = false

  /** Reads one header, whose message ends at `end`. */
  read(reader: WireReader, end: number): void {
    let keyStart = 0
    let keyEnd = 0
    let valueStart = 0
    let valueEnd = 0
    while (reader.next(end)) {
      if (reader.field === header.key) {
        keyEnd = reader.enter(end)
        keyStart = reader.position
        reader.moveTo(keyEnd)
      } else if (reader.field === header.value || reader.field === header.rawValue) {
        valueEnd = reader.enter(end)
        valueStart = reader.position
        reader.moveTo(valueEnd)
      } else reader.skip(end)
    }
    this.#take(reader.bytes, keyStart, keyEnd, valueStart, valueEnd)
  }

  #take(bytes: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    if (isName(bytes, keyStart, keyEnd, authorizationName)) {
      this.authorization.push(bytes.toString('latin1', valueStart, valueEnd))
    } else if (isName(bytes, keyStart, keyEnd, contentTypeName)) {
      const prefixEnd = Math.min(valueEnd, valueStart + grpcPrefix.length)
      this.isGrpc = bytes.toString('latin1', valueStart, prefixEnd) === grpcPrefix
    }
  }
}

/** Whether the bytes are a header's name, without making text of them: most headers are of no interest. */
function isName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let at = 0; at < name.length; at++) {
    if (((bytes[start + at] as number) | upperToLower) !== name.charCodeAt(at)) return false
  }
  return true
}

/**
 * Reads a CheckRequest.
 *
 * @throws RescindError ERR_REQUEST_INVALID if the bytes are not protobuf.
 */
export function readCheckRequest(bytes: Buffer): CheckInput {
  const headers = new Headers()
  const reader = new WireReader(bytes)
  eachMessage(reader, bytes.length, path.attributes, attributesEnd =>
    eachMessage(reader, attributesEnd, path.request, requestEnd =>
      eachMessage(reader, requestEnd, path.http, httpEnd => readHttp(reader, httpEnd, headers)),
    ),
  )
  return headers
}

function readHttp(reader: WireReader, end: number, headers: Headers): void {
  while (reader.next(end)) {
    if (reader.field === path.headers) {
      headers.read(reader, reader.enter(end))
    } else if (reader.field === path.headerMap) {
      const mapEnd = reader.enter(end)
      eachMessage(reader, mapEnd, path.headerMapHeaders, headerEnd => headers.read(reader, headerEnd))
    } else reader.skip(end)
  }
}

/** Visits each occurrence of a message field before `end`; `visit` must read up to the end that it is given. */
function eachMessage(reader: WireReader, end: number, field: number, visit: (end: number) => void): void {
  while (reader.next(end)) {
    if (reader.field === field) visit(reader.enter(end))
    else reader.skip(end)
  }
}
