/**
 * The baseline: an ext_authz server on grpc-js with the same options as the enforcer's, which answers OK without looking
 * at the request. Prints its port.
 *
 * @module
 */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { channelOptions, checkService } from '../../enforcer/transport/grpc-js.ts'
import { checkResponseCodec } from '../../proto/wire.ts'
import { addHealthService, createHealth } from '../../runtime/grpc-health.ts'
import { bindGrpcServer } from '../../runtime/grpc-server.ts'
import { tell } from '../load/program.ts'

const ok = checkResponseCodec.encode({ status: { code: 0 }, okResponse: {} })
const health = createHealth()
health.set(true)

const server = new Server(channelOptions)
server.addService(checkService, {
  Check: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, ok),
})
addHealthService(server, health)
tell({ port: await bindGrpcServer(server, '127.0.0.1:0', ServerCredentials.createInsecure(), 'bench') })
