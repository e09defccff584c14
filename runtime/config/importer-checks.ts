/**
 * Rules between the settings of inboxes and of the event hub.
 *
 * @module
 */
import { isLoopback } from './loopback.ts'
import type { Config } from './schema.ts'
import type { Path } from './schema-tree.ts'
import type { InboxConfig } from './sections/inbox.ts'
import type { Problem } from './validate.ts'

/** What is wrong with `revoker.inbox`. */
export function inboxProblems({ issuers, revoker, eventLog }: Config): Problem[] {
  const known = new Set(issuers.map(({ issuer }) => issuer))
  return revoker.inbox.flatMap((inbox, index) => {
    const path = ['revoker', 'inbox', index]
    return [
      ...nameProblems(revoker.inbox, index),
      ...sourceProblems(inbox, path),
      ...keyProblems(inbox, eventLog.key, path),
      ...issuerProblems(inbox.issuers, known, [...path, 'issuers']),
      ...transmitterProblems(inbox, known, path),
    ]
  })
}

function nameProblems(inboxes: readonly InboxConfig[], index: number): Problem[] {
  const first = inboxes.findIndex(({ name }) => name === inboxes[index]?.name)
  const message = `is the same as revoker.inbox[${first}].name; names tell inboxes apart`
  return first === index ? [] : [{ path: ['revoker', 'inbox', index, 'name'], message }]
}

function sourceProblems({ kafka, redis }: InboxConfig, path: Path): Problem[] {
  if ((kafka === undefined) !== (redis === undefined)) return []
  return [{ path, message: 'must have either kafka or redis' }]
}

/** With the log's own key, what a writer of the inbox signs could be written to the log. */
function keyProblems({ key }: InboxConfig, logKey: string | undefined, path: Path): Problem[] {
  if (key === undefined || key !== logKey) return []
  return [{ path: [...path, 'key'], message: 'must not be eventLog.key, which nobody else may know' }]
}

/** An issuer that no configuration knows is misspelt: it would revoke nothing. */
function issuerProblems(names: readonly string[], known: ReadonlySet<string>, path: Path): Problem[] {
  return names.flatMap((name, index) =>
    known.has(name)
      ? []
      : [{ path: [...path, index], message: 'is not the issuer of any of the configured issuers' }],
  )
}

function transmitterProblems(inbox: InboxConfig, known: ReadonlySet<string>, path: Path): Problem[] {
  const { formats, transmitters } = inbox
  if (formats.includes('set-caep') !== transmitters.length > 0) {
    const message = 'must be given for the format set-caep, and only for it'
    return [{ path: [...path, 'transmitters'], message }]
  }
  return transmitters.flatMap(({ issuer, jwksUri, issuers }, index) => {
    const place = [...path, 'transmitters', index]
    const first = transmitters.findIndex(other => other.issuer === issuer)
    const problems = issuerProblems(issuers, known, [...place, 'issuers'])
    if (first < index) {
      problems.push({ path: [...place, 'issuer'], message: 'is there twice; list each transmitter once' })
    }
    if (issuers.length === 0 && !known.has(issuer)) {
      const message = 'is missing: the transmitter is not itself one of the configured issuers'
      problems.push({ path: [...place, 'issuers'], message })
    }
    if (jwksUri === undefined && !/^https?:\/\//.test(issuer)) {
      const message = 'is missing: the issuer is not an http(s) URL, so its keys cannot be discovered'
      problems.push({ path: [...place, 'jwksUri'], message })
    }
    return problems
  })
}

/** `plain` sends the password: without TLS it must not leave the machine. */
export function kafkaLoginProblems({ eventLog, revoker }: Config): Problem[] {
  const log = eventLog.driver === 'kafka' ? [{ path: ['eventLog', 'kafka'], kafka: eventLog.kafka }] : []
  const inboxes = revoker.inbox.flatMap(({ kafka }, index) =>
    kafka === undefined ? [] : [{ path: ['revoker', 'inbox', index, 'kafka'], kafka }],
  )
  const message =
    'plain would send the password unencrypted: set tls.enabled, or use scram-sha-256 or scram-sha-512'
  return [...log, ...inboxes]
    .filter(({ kafka }) => kafka.sasl?.mechanism === 'plain' && !kafka.tls.enabled)
    .filter(({ kafka }) => !kafka.brokers.every(isLoopback))
    .map(({ path }) => ({ path: [...path, 'sasl', 'mechanism'], message }))
}

/** What is wrong with `revoker.eventHub`. */
export function eventHubProblems({ issuers, revoker: { eventHub } }: Config): Problem[] {
  const known = new Set(issuers.map(({ issuer }) => issuer))
  const path = ['revoker', 'eventHub']
  const missing = (holder: { username?: string; password?: string }, place: Path, why: string): Problem[] =>
    (['username', 'password'] as const)
      .filter(name => holder[name] === undefined)
      .map(name => ({ path: [...place, name], message: `is missing: ${why}` }))
  const { brokers, refill } = eventHub
  return [
    ...issuerProblems(eventHub.issuers, known, [...path, 'issuers']),
    ...(brokers.length === 0 ? [] : missing(eventHub, path, 'the brokers ask for it')),
    ...(refill.url === undefined ? [] : missing(refill, [...path, 'refill'], 'the event hub asks for it')),
    ...brokerProblems(brokers, [...path, 'brokers']),
  ]
}

function brokerProblems(brokers: readonly string[], path: Path): Problem[] {
  const bad = brokers.findIndex(broker => !URL.canParse(broker))
  if (bad >= 0) return [{ path: [...path, bad], message: 'is not a URL' }]
  const kinds = new Set(brokers.map(broker => new URL(broker)).map(kindOf))
  if (kinds.size <= 1) return []
  return [{ path, message: 'must all have the same scheme (amqp or amqps) and vhost' }]
}

const kindOf = ({ protocol, pathname }: URL): string => `${protocol}${pathname === '/' ? '' : pathname}`
