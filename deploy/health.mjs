// The container's health check; ends with 0 if all is well. The first argument is the port of the enforcer on this machine
// (default 8081), which is asked over gRPC whether it serves (grpc.health.v1), or the URL of a /readyz.
import { Client, credentials } from '@grpc/grpc-js'

const timeoutMs = 2000
const [subject = '8081'] = process.argv.slice(2)

function end(isHealthy, problem = '') {
  if (!isHealthy) process.stderr.write(`not serving ${problem}\n`)
  process.exit(isHealthy ? 0 : 1)
}

function askEnforcer(port) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const bytes = value => value
  const deadline = Date.now() + timeoutMs
  const check = '/grpc.health.v1.Health/Check'
  client.makeUnaryRequest(check, bytes, bytes, Buffer.alloc(0), { deadline }, (error, answer) => {
    // HealthCheckResponse as bytes: field 1 (status) is 1, SERVING.
    end(!error && answer.length === 2 && answer[0] === 0x08 && answer[1] === 1, error?.details)
  })
}

async function askReadiness(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch(error => ({ error }))
  end(answer.ok === true, String(answer.error ?? (await answer.text())))
}

if (subject.startsWith('http')) await askReadiness(subject)
else askEnforcer(subject)
