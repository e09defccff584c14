/**
 * Messages as gRPC frames them: a byte that says that they are not compressed, the length, the message.
 *
 * @module
 */

const headBytes = 5
const messageBytesLimit = 16 * 2 ** 20

/** The frame of a message. */
export const grpcFrame = (message: Buffer): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/**
 * Takes what comes, in whatever pieces, and gives whole messages. Throws for one that is compressed, or over 16 MiB.
 *
 * @returns what is to be called with each piece.
 */
export const createFrameReader = (onMessage: (message: Buffer) => void): ((piece: Buffer) => void) => {
  let pieces: Buffer[] = []
  let bytes = 0
  let needed = headBytes
  return piece => {
    pieces.push(piece)
    bytes += piece.length
    // Joined only when a message is whole, so that one of many pieces is not copied again and again.
    while (bytes >= needed) {
      const all = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
      const length = headBytes + lengthIn(all)
      needed = length
      pieces = [all]
      if (bytes < needed) return
      onMessage(all.subarray(headBytes, length))
      pieces = bytes === length ? [] : [all.subarray(length)]
      bytes -= length
      needed = headBytes
    }
  }
}

const lengthIn = (head: Buffer): number => {
  const length = head.readUInt32BE(1)
  if (head[0] === 0 && length <= messageBytesLimit) return length
  throw new Error(`not a gRPC message that was asked for: flag ${head[0]}, ${length} bytes`)
}
