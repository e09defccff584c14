/** Inboxes and the event hub are configured completely, and may not revoke what nobody configured. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { createForeignReader } from '../../revoker/foreign-events.ts'
import { loadYaml, problemOf } from '../support/config-files.ts'
import { projectRoot } from '../support/project.ts'

const issuer = 'https://idp.example.com'
const kafka = { brokers: ['kafka:9092'], topic: 'revocations' }
const inbox = { name: 'hr', kafka, formats: ['cloudevents'], issuers: [issuer] }
const transmitter = { issuer: 'https://sso.example.com', audiences: ['me'], issuers: [issuer] }
const hub = { brokers: ['amqp://hub:5672'], username: 'admin', password: 'secret' }
const logKey = 'the-key-of-the-log-0123456789abcdef'
const yaml = (revoker: object): string =>
  stringify({ issuers: [{ issuer }], eventLog: { key: logKey }, revoker })

test('without settings nothing is imported', () => {
  const { revoker } = loadYaml('').config
  assert.deepEqual([revoker.inbox, revoker.eventHub.brokers], [[], []])
})

test('the examples of docs/sources.md are valid', () => {
  const document = readFileSync(join(projectRoot, 'docs', 'sources.md'), 'utf8')
  const examples = [...document.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text as string)
  assert.equal(examples.length, 4)
  const configs = examples.map(text => loadYaml(text).config.revoker)
  assert.deepEqual(
    configs.flatMap(revoker => revoker.inbox.map(({ name }) => name)),
    ['hr', 'portal', 'signals'],
  )
  assert.equal(configs.at(-1)?.eventHub.brokers.length, 2)
})

test('the events of docs/sources.md revoke what they say', async () => {
  const document = readFileSync(join(projectRoot, 'docs', 'sources.md'), 'utf8')
  const [record] = [...document.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text as string)
  const [, entry] = /XADD portal:revocations '\*' event '(.*)'$/m.exec(document) ?? []
  const reader = createForeignReader({ formats: ['cloudevents'], issuers: [issuer] })
  for (const text of [record, entry]) {
    const [revocation] = await reader.read(Buffer.from(text ?? ''))
    assert.deepEqual(revocation?.match, { iss: issuer, sub: 'bob' })
  }
})

test('an inbox and the event hub need little to be said', () => {
  const redis = { name: 'other', redis: { stream: 's' }, formats: ['wso2-event-hub'], issuers: [issuer] }
  const { revoker } = loadYaml(yaml({ inbox: [inbox, redis], eventHub: hub })).config
  assert.deepEqual(
    revoker.inbox.map(({ kafka, redis }) => kafka?.groupId ?? redis?.group),
    ['rescind', 'rescind'],
  )
  assert.deepEqual(
    [revoker.eventHub.exchange, revoker.eventHub.routingKey, revoker.eventHub.queue.durable],
    ['amq.topic', 'tokenRevocation', true],
  )
})

const wrong: readonly [what: string, revoker: object, problem: RegExp][] = [
  ['neither kafka nor redis', { inbox: [{ ...inbox, kafka: undefined }] }, /inbox\[0\]: must have either/],
  ['both', { inbox: [{ ...inbox, redis: { stream: 's' } }] }, /inbox\[0\]: must have either/],
  ['no format', { inbox: [{ ...inbox, formats: [] }] }, /inbox\[0\]\.formats/],
  ['an unknown format', { inbox: [{ ...inbox, formats: ['xml'] }] }, /must be one of cloudevents, /],
  ['no issuer', { inbox: [{ ...inbox, issuers: [] }] }, /inbox\[0\]\.issuers/],
  ['an unknown issuer', { inbox: [{ ...inbox, issuers: ['x'] }] }, /issuers\[0\]: is not the issuer of any/],
  ['the same name twice', { inbox: [inbox, inbox] }, /inbox\[1\]\.name: is the same as/],
  [
    'sets without transmitters',
    { inbox: [{ ...inbox, formats: ['set-caep'] }] },
    /\.transmitters: must be given/,
  ],
  ['transmitters without sets', { inbox: [{ ...inbox, transmitters: [transmitter] }] }, /and only for it/],
  [
    'a transmitter for itself that is no issuer',
    { inbox: [{ ...inbox, formats: ['set-caep'], transmitters: [{ ...transmitter, issuers: [] }] }] },
    /transmitters\[0\]\.issuers: is missing/,
  ],
  [
    'a transmitter without audiences',
    { inbox: [{ ...inbox, formats: ['set-caep'], transmitters: [{ ...transmitter, audiences: [] }] }] },
    /transmitters\[0\]\.audiences/,
  ],
  [
    'the key of the log',
    { inbox: [{ ...inbox, key: logKey }] },
    /inbox\[0\]\.key: must not be eventLog\.key/,
  ],
  [
    'a password that would be sent in the clear',
    {
      inbox: [{ ...inbox, kafka: { ...kafka, sasl: { mechanism: 'plain', username: 'a', password: 'b' } } }],
    },
    /inbox\[0\]\.kafka\.sasl\.mechanism: plain would send the password unencrypted/,
  ],
  ['a broker without user', { eventHub: { ...hub, username: undefined } }, /eventHub\.username: is missing/],
  ['a password in a URL', { eventHub: { ...hub, brokers: ['amqp://a:b@hub'] } }, /without user, password/],
  ['brokers of two kinds', { eventHub: { ...hub, brokers: ['amqp://a', 'amqps://b'] } }, /same scheme/],
  ['brokers of two vhosts', { eventHub: { ...hub, brokers: ['amqp://a', 'amqp://b/x'] } }, /same scheme/],
  [
    'a refill without password',
    { eventHub: { ...hub, refill: { url: 'https://h' } } },
    /refill\.username: is missing/,
  ],
]
for (const [what, revoker, problem] of wrong) {
  test(`${what} is an error that names the setting`, () => {
    assert.match(problemOf(yaml(revoker)), problem)
  })
}

test('a password may be sent in the clear to brokers on this machine, and to others with TLS', () => {
  const sasl = { mechanism: 'plain', username: 'a', password: 'b' }
  const local = { ...kafka, brokers: ['127.0.0.1:9092', '[::1]:9092'], sasl }
  const secure = { ...kafka, tls: { enabled: true }, sasl }
  for (const each of [local, secure]) loadYaml(yaml({ inbox: [{ ...inbox, kafka: each }] }))
  const log = { eventLog: { driver: 'kafka', kafka: { brokers: kafka.brokers, sasl } } }
  assert.match(problemOf(stringify(log)), /eventLog\.kafka\.sasl\.mechanism: plain would send/)
})
