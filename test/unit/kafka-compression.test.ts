/** A batch that was compressed is read only if it inflates to what it may, and otherwise says why. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { unreadableTopic } from '../../event-log/kafka/failure.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs
type Type = keyof typeof CompressionCodecs
const inflate = (type: Type, batch: Buffer): Promise<Buffer> => CompressionCodecs[type]().decompress(batch)
const failure = (type: Type, batch: Buffer) =>
  inflate(type, batch).then(
    () => assert.fail('it was read'),
    error => unreadableTopic('setting', 'topic', error),
  )

test('gzip is read', async () => {
  const events = Buffer.from(randomBytes(1_000).toString('hex').repeat(20))
  assert.deepEqual(await inflate(CompressionTypes.GZIP, gzipSync(events)), events)
  const small = Buffer.alloc(16 * 1024)
  assert.deepEqual(await inflate(CompressionTypes.GZIP, gzipSync(small)), small)
})

test('gzip that would fill the memory is not inflated', async () => {
  for (const bytes of [1_000_000, 100_000_000]) {
    const error = await failure(CompressionTypes.GZIP, gzipSync(Buffer.alloc(bytes)))
    assert.equal(error?.code, 'ERR_LOG_SETUP')
    assert.match(error?.message ?? '', /^setting: the topic topic: a gzip batch of \d+ bytes cannot be read/)
  }
})

test('garbage, and what there is no codec for, says what it is', async () => {
  assert.match((await failure(CompressionTypes.GZIP, Buffer.from('garbage')))?.message ?? '', /a gzip batch/)
  for (const [type, name] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    const error = await failure(type, Buffer.alloc(1))
    assert.match(
      error?.message ?? '',
      new RegExp(`compressed with ${name}.* compression\\.type=uncompressed`),
    )
  }
})

test('other errors are not of that kind', () => {
  assert.equal(unreadableTopic('setting', 'topic', new Error('no connection')), undefined)
})
