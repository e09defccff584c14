/**
 * Server-sent events as they are read: of a stream's text the data of each event. No I/O.
 *
 * @module
 */

/** Most characters of one event. */
const eventLimit = 2 ** 20

/** The data of the events in a stream, one after the other; comments and other fields are left out. */
export async function* eventData(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true })
    const blocks = rest.split('\n\n')
    rest = (blocks.pop() as string).slice(-eventLimit)
    for (const block of blocks) {
      const data = block.split('\n').flatMap(line => (line.startsWith('data: ') ? [line.slice(6)] : []))
      if (data.length > 0) yield data.join('\n')
    }
  }
}
