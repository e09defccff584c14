/**
 * Reads the batch in a response of an adapter. No I/O.
 *
 * @module
 */
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  type RevocationBatchMessage,
  revocationBatchCodec,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import { batchFormat } from '../../revocation/entries.ts'
import { RescindError } from '../../revocation/error.ts'
import { derivation } from '../../revocation/key.ts'
import { lifetimeRaisesLimit } from '../../revocation/token-lifetimes.ts'

const kinds: ReadonlySet<unknown> = new Set(['DELTA', 'FULL_FIRST', 'FULL_MORE', 'FULL_LAST'])

/** An adapter that has nothing to say yet, for it waits for its log or after a refusal. */
export const isSignOfLife = ({ nonce, resources }: DeltaResponseMessage): boolean =>
  nonce === '' && resources.length === 0

/**
 * The batch in a response, of a layout and kind that this version knows.
 *
 * @throws RescindError ERR_BATCH_INVALID
 */
export function batchOf(response: DeltaResponseMessage): RevocationBatchMessage {
  const resource = response.resources[0]?.resource
  if (response.resources.length !== 1 || resource?.type_url !== revocationBatchTypeUrl) {
    throw invalidBatch('a response must carry one RevocationBatch')
  }
  const batch = decode(resource.value as Buffer)
  checkLayout(batch)
  return batch
}

function decode(bytes: Buffer): RevocationBatchMessage {
  try {
    return revocationBatchCodec.decode(bytes)
  } catch {
    throw invalidBatch('the RevocationBatch is not valid protobuf')
  }
}

function checkLayout(batch: RevocationBatchMessage): void {
  if (batch.format !== batchFormat)
    throw invalidBatch(`format ${batch.format} is not known; update the enforcer`)
  if (batch.derivation !== derivation) {
    throw invalidBatch(`derivation ${batch.derivation} is not known; update the enforcer`)
  }
  for (const version of [batch.from, batch.to, batch.target, batch.claimSetGeneration]) {
    if (!Number.isSafeInteger(version) || version < 0) throw invalidBatch('a version is out of range')
  }
  if (batch.earlierLifetimes.length > lifetimeRaisesLimit)
    throw invalidBatch('it has too many earlier lifetimes')
  // Numbers that this version does not know are decoded as numbers.
  if (!kinds.has(batch.kind)) throw invalidBatch('its kind is not known; update the enforcer')
}

/** Why a batch cannot be used. */
export const invalidBatch = (message: string) => new RescindError('ERR_BATCH_INVALID', message)

/** google.rpc.Code of a NACK. */
const invalidArgument = 3

/** The refusal of a response. */
export const nack = (response: DeltaResponseMessage, message: string): DeltaRequest => ({
  typeUrl: revocationBatchTypeUrl,
  responseNonce: response.nonce,
  errorDetail: { code: invalidArgument, message },
})
