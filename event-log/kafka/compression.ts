/**
 * What the client library may decompress: gzip, within limits. It has no other codec, and would inflate a batch of a
 * megabyte to a gigabyte.
 *
 * @module
 */
import { promisify } from 'node:util'
import { gzip, unzip } from 'node:zlib'
import kafkajs from 'kafkajs'

/** A batch may inflate to so many times its size, but always to 16 KiB and never to more than 16 MiB. */
const ratioLimit = 100
const alwaysAllowedBytes = 16 * 1024
const inflatedLimitBytes = 16 * 1024 * 1024

const causesLimit = 5

/** A record batch that cannot be read, now or later; the message says why. */
export class UnreadableBatch extends Error {
  /** Asked for by the client library. */
  readonly retriable = false
}

/** The {@link UnreadableBatch} that is behind an error of the client library, if one is. */
export function unreadableBatchOf(error: unknown): UnreadableBatch | undefined {
  let current: unknown = error
  for (let depth = 0; depth < causesLimit && current instanceof Error; depth++) {
    if (current instanceof UnreadableBatch) return current
    current = current.cause
  }
  return undefined
}

const inflate = promisify(unzip)

const boundedGzip = {
  compress: ({ buffer }: { readonly buffer: Buffer }) => promisify(gzip)(buffer),
  async decompress(batch: Buffer): Promise<Buffer> {
    const maxOutputLength = Math.min(
      inflatedLimitBytes,
      Math.max(alwaysAllowedBytes, ratioLimit * batch.length),
    )
    try {
      return await inflate(batch, { maxOutputLength })
    } catch (error) {
      throw new UnreadableBatch(
        `a gzip batch of ${batch.length} bytes cannot be read: ${(error as Error).message}`,
      )
    }
  },
}

const refuse = (name: string) => () => ({
  decompress: async () => {
    throw new UnreadableBatch(`a batch is compressed with ${name}, which cannot be read here`)
  },
})

const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.GZIP] = () => boundedGzip
CompressionCodecs[CompressionTypes.Snappy] = refuse('snappy')
CompressionCodecs[CompressionTypes.LZ4] = refuse('lz4')
CompressionCodecs[CompressionTypes.ZSTD] = refuse('zstd')
