/**
 * Reads what somebody answers, up to a limit.
 *
 * @module
 */

/**
 * All bytes of a stream.
 *
 * @throws Error that the answer is larger, as soon as it is.
 */
export async function readLimited(stream: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > limitBytes) throw new Error(`the answer is larger than ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
