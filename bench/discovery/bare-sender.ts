/**
 * The baseline's sender: a grpc-js server that streams so many messages of so many bytes, one buffer again and again,
 * as fast as the connection takes them. The argument is JSON, see {@link BareTask}; prints its port.
 *
 * @module
 */
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import { bindGrpcServer } from '../../runtime/grpc-server.ts'
import { tell } from '../load/program.ts'
import { bareStream } from './bare-stream.ts'

/** What is sent to whoever connects. */
export interface BareTask {
  readonly messages: number
  readonly messageBytes: number
}

const { messages, messageBytes }: BareTask = JSON.parse(process.argv[2] as string)
const message = Buffer.alloc(messageBytes, 'rescind')

const send = (call: ServerWritableStream<Buffer, Buffer>) => {
  let sent = 0
  const sendOn = () => {
    while (sent < messages) {
      sent += 1
      if (!call.write(message)) return
    }
    call.end()
  }
  call.on('drain', sendOn)
  sendOn()
}

const server = new Server()
server.addService({ Stream: bareStream }, { Stream: send })
tell({ port: await bindGrpcServer(server, '127.0.0.1:0', ServerCredentials.createInsecure(), 'bench') })
