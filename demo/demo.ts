/**
 * `npm run demo`: the whole way once. A certified OpenID Provider, an API, Rescind and Envoy are started; a token gets
 * a 200, is revoked, and gets a 401. `--once` ends there; `--json` ends with one line of figures.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { bringService } from '../test/services/catalogue.ts'
import { startDemo } from './stack.ts'
import { createStory } from './story.ts'

const { values } = parseArgs({ options: { once: { type: 'boolean' }, json: { type: 'boolean' } } })
const story = createStory()

story.title('Rescind: a revoked token, rejected at once')
const envoyBinary = await bringService('envoy')
if (envoyBinary === undefined) {
  story.say(
    'Envoy cannot be had here; the enforcer is asked directly, in the protocol that Envoy speaks (ext_authz).',
  )
}
story.say(
  `Starting an OpenID Provider, an API, Rescind (revoker, adapter, enforcer)${envoyBinary ? ' and Envoy' : ''} ...`,
)
const demo = await startDemo(envoyBinary)

let stopping: Promise<void> | undefined
const stop = () => (stopping ??= demo.stop())
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stop().then(() => process.exit(signal === 'SIGINT' ? 130 : 0))
  })
}

try {
  const figures = await walk()
  if (values.once !== true) await stay()
  await stop()
  if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`)
  if (figures.statusBefore !== 200 || figures.statusAfter !== 401) process.exitCode = 1
} catch (error) {
  await stop()
  process.stderr.write(`demo: ${(error as Error).message}\n`)
  process.exitCode = 1
}

async function walk() {
  story.step(1, 'The client gets an access token (a JWT) from the OpenID Provider')
  const token = await demo.provider.token()
  const control = await demo.provider.token()
  story.show(`${token.slice(0, 60)}...`)

  story.step(
    2,
    envoyBinary
      ? 'and calls the API with it, through Envoy'
      : 'and the enforcer is asked about a call with it',
  )
  const before = await demo.call(token)
  story.show(`${demo.callText}  ->  ${before.status}`)

  story.step(3, 'The token is revoked, as RFC 7009 says')
  story.show(`curl -d token=... --user demo-client:demo-secret ${demo.revokeUrl}`)
  const revoked = await demo.revoke(token)
  const revokedAtMs = performance.now()
  const first = await firstRejection(token)
  const firstRejectMs = performance.now() - revokedAtMs
  story.show(`-> ${revoked.status}`)
  for (const [name, value] of revoked.headers) story.show(`   ${name}: ${value.slice(0, 60)}`)
  story.say('The adapter logs:')
  for (const line of demo.adapterLines()) story.show(line)

  story.step(4, 'The same call again')
  story.show(`${demo.callText}  ->  ${first.status}`)
  story.show(first.body)

  const other = await demo.call(control)
  story.step(5, 'Another token of the same client, not revoked')
  story.show(`${demo.callText}  ->  ${other.status}`)
  story.say(`From the answer to the revocation to the first 401: ${firstRejectMs.toFixed(1)} ms`)
  return {
    firstRejectMs: Number(firstRejectMs.toFixed(3)),
    statusBefore: before.status,
    statusRevoke: revoked.status,
    statusAfter: first.status,
    statusControl: other.status,
    throughEnvoy: envoyBinary !== undefined,
  }
}

/** Repeats the call until it is rejected. */
async function firstRejection(token: string) {
  for (let calls = 0; calls < 10_000; calls++) {
    const answer = await demo.call(token)
    if (answer.status !== 200) return answer
  }
  throw new Error('the revoked token was never rejected')
}

async function stay(): Promise<never> {
  story.title('Try it yourself (Ctrl-C ends everything)')
  for (const line of demo.commands()) story.show(line)
  return new Promise(() => setInterval(() => undefined, 60_000))
}
