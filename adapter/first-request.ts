/**
 * What the first request of a discovery stream says: who asks, and what it holds already. No I/O.
 *
 * @module
 */
import type { DeltaRequestMessage, SotwRequestMessage } from '../proto/wire.ts'
import { RescindError } from '../revocation/error.ts'

/** Who opened a stream. */
export interface NodeIdentity {
  /** `node.id`: which group of enforcers. */
  readonly label: string
  /** `node.metadata.instanceIdentifier`: which enforcer of it. */
  readonly instance: string
}

/** The state that an enforcer holds. */
export interface ResumePoint {
  readonly epoch: string
  readonly version: number
  readonly digest: bigint
}

const textLimit = 256

/**
 * The identity in a first request.
 *
 * @throws RescindError ERR_REQUEST_INVALID if the node or the type is missing or wrong.
 */
export function nodeOf(
  request: Pick<DeltaRequestMessage | SotwRequestMessage, 'typeUrl' | 'node'>,
  typeUrl: string,
): NodeIdentity {
  if (request.typeUrl !== typeUrl) throw invalid(`type_url: must be ${typeUrl}`)
  const instance = request.node?.metadata?.fields?.instanceIdentifier?.stringValue
  return {
    label: boundedText('node.id', request.node?.id),
    instance: boundedText('node.metadata.instanceIdentifier', instance),
  }
}

/**
 * What an enforcer holds: in `initial_resource_versions` its epoch names `version/digest`, the digest as 16 hex
 * digits. Anything else there means: nothing.
 */
export function resumeOf(request: DeltaRequestMessage): ResumePoint | undefined {
  const [held] = Object.entries(request.initialResourceVersions)
  const parts = /^([1-9][0-9]{0,15})\/([0-9a-f]{16})$/.exec(held?.[1] ?? '')
  if (held === undefined || parts === null) return undefined
  const version = Number(parts[1])
  if (!Number.isSafeInteger(version)) return undefined
  return { epoch: held[0], version, digest: BigInt(`0x${parts[2]}`) }
}

function boundedText(name: string, text: string | undefined): string {
  if (text !== undefined && text !== '' && text.length <= textLimit) return text
  throw invalid(`${name}: must be a string of 1 to ${textLimit} characters`)
}

const invalid = (message: string) => new RescindError('ERR_REQUEST_INVALID', message)
