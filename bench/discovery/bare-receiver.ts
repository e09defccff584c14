/**
 * The baseline's receiver: a grpc-js client that reads a stream to its end and looks at nothing. The argument is the port;
 * prints {@link BareLine}.
 *
 * @module
 */
import { Client, credentials } from '@grpc/grpc-js'
import { clockMs } from '../load/clock.ts'
import { tell } from '../load/program.ts'
import { bareStream } from './bare-stream.ts'

/** What is printed. */
export interface BareLine {
  /** From connecting to the end. */
  readonly seconds: number
  readonly bytes: number
}

const startMs = clockMs()
const client = new Client(`127.0.0.1:${process.argv[2]}`, credentials.createInsecure(), {
  'grpc.max_receive_message_length': 16 * 2 ** 20,
})
const { path, requestSerialize, responseDeserialize } = bareStream
const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.alloc(0))
let bytes = 0
for await (const message of stream) bytes += (message as Buffer).length
const line: BareLine = { seconds: (clockMs() - startMs) / 1_000, bytes }
client.close()
tell(line)
