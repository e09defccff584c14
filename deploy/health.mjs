// The container's health check: asks the enforcer on this machine over gRPC whether it serves (grpc.health.v1), and ends
// with 0 if it does. The port is the first argument, 8081 if there is none.
import { Client, credentials } from '@grpc/grpc-js'

const timeoutMs = 2000
const client = new Client(`127.0.0.1:${process.argv[2] ?? 8081}`, credentials.createInsecure())
const bytes = value => value
const deadline = Date.now() + timeoutMs
client.makeUnaryRequest(
  '/grpc.health.v1.Health/Check',
  bytes,
  bytes,
  Buffer.alloc(0),
  { deadline },
  (error, answer) => {
    // HealthCheckResponse as bytes: field 1 (status) is 1, SERVING.
    const serving = !error && answer.length === 2 && answer[0] === 0x08 && answer[1] === 1
    if (!serving) process.stderr.write(`not serving${error ? `: ${error.details}` : ''}\n`)
    process.exit(serving ? 0 : 1)
  },
)
