/**
 * The stream of the baseline: bytes that nobody encodes or decodes.
 *
 * @module
 */
import type { MethodDefinition } from '@grpc/grpc-js'

const sameBytes = (bytes: Buffer): Buffer => bytes

/** One request, many answers. */
export const bareStream: MethodDefinition<Buffer, Buffer> = {
  path: '/bench.Bare/Stream',
  requestStream: false,
  responseStream: true,
  requestSerialize: sameBytes,
  requestDeserialize: sameBytes,
  responseSerialize: sameBytes,
  responseDeserialize: sameBytes,
}
