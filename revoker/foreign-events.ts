/**
 * Reads a message that others published: limits, parsing, which format it is, its signature, what it may revoke.
 *
 * @module
 */
import {
  checkForeign,
  type ForeignContext,
  type ForeignFormat,
  type ForeignMessage,
  type ForeignRevocation,
  invalidEvent,
} from '../revocation/formats/foreign-format.ts'
import { foreignFormats } from '../revocation/formats/foreign-formats.ts'
import { eventBytesLimit } from '../revocation/formats/rescind.ts'
import { parseJsonObject } from '../revocation/json-object.ts'
import { type ParsedJwt, parseJwt } from '../token/jwt.ts'
import type { SetVerifier } from './set-verification.ts'

/** Reads messages of a source. */
export interface ForeignReader {
  /**
   * @throws RescindError ERR_EVENT_INVALID for what is not understood, not genuine or not allowed; ERR_REQUEST_FAILED if
   *   that cannot be said yet.
   */
  read(bytes: Uint8Array): Promise<readonly ForeignRevocation[]>
}

/** A format that may need more than the message to be read. */
export type MessageFormat = Omit<ForeignFormat, 'read'> & {
  /** @throws RescindError as {@link ForeignReader.read}. */
  read(
    message: ForeignMessage,
    context: ForeignContext,
  ): readonly ForeignRevocation[] | Promise<readonly ForeignRevocation[]>
}

/** What a source accepts. */
export interface ForeignReaderOptions extends ForeignContext {
  /** Names of formats. */
  readonly formats: readonly string[]
  /** Formats that are known beside {@link foreignFormats}, and tried before them. */
  readonly furtherFormats?: readonly MessageFormat[]
  /** Needed for signed formats. */
  readonly sets?: SetVerifier | undefined
}

const depthLimit = 16

/** Creates the reader of a source. */
export function createForeignReader(options: ForeignReaderOptions): ForeignReader {
  const known: readonly MessageFormat[] = [...(options.furtherFormats ?? []), ...foreignFormats]
  const accepted = known.filter(({ name }) => options.formats.includes(name))
  return {
    async read(bytes) {
      if (bytes.length > eventBytesLimit) throw invalidEvent(`larger than ${eventBytesLimit} bytes`)
      const text = Buffer.from(bytes).toString('latin1').trim()
      const jwt = parseJwt(text, { tokenLimitBytes: eventBytesLimit, depthLimit })
      const message = messageOf(bytes, jwt)
      const format = formatOf(message, known, accepted)
      if (format.signed !== (jwt !== undefined))
        throw invalidEvent(
          `of the format ${format.name}, which must ${format.signed ? '' : 'not '}be a signed token`,
        )
      const context = jwt === undefined ? options : await signerOf(jwt, options)
      const revocations = await format.read(message, context)
      for (const revocation of revocations) checkForeign(revocation, context)
      return revocations
    },
  }
}

function messageOf(bytes: Uint8Array, jwt: ParsedJwt | undefined): ForeignMessage {
  const body = jwt === undefined ? parseJsonObject(bytes, depthLimit) : jwt.payload
  if (body === undefined) throw invalidEvent('neither one unambiguous JSON object nor a compact JWS')
  return { bytes, signed: jwt !== undefined, body }
}

function formatOf(
  message: ForeignMessage,
  known: readonly MessageFormat[],
  accepted: readonly MessageFormat[],
): MessageFormat {
  const format = known.find(each => each.recognises(message))
  if (format === undefined) throw invalidEvent('of no known format')
  if (!accepted.includes(format))
    throw invalidEvent(`of the format ${format.name}, which is not accepted here`)
  return format
}

/** What a signed message may say is bound to who signed it. */
async function signerOf(jwt: ParsedJwt, { sets }: ForeignReaderOptions): Promise<ForeignContext> {
  if (sets === undefined) throw invalidEvent('signed, and no transmitters are configured')
  return sets.verify(jwt)
}
