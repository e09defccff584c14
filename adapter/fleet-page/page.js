/**
 * The fleet page: takes the fleet status as server-sent events and keeps a table of enforcers up to date. What comes from
 * enforcers is only ever set as text.
 *
 * @module
 */

/** A frame comes at least every 5 s. */
const silenceLimitMs = 15_000
const retryLimitMs = 15_000

const stateNames = {
  current: 'Up to date',
  behind: 'Behind',
  refusing: 'Refusing',
  disconnected: 'Disconnected',
}

const element = id => document.getElementById(id)
const numbers = new Intl.NumberFormat('en')

/** The last status, when it came, and the connection that brings the next. */
let status
let receivedAtMs = 0
let source
let failures = 0
let reconnects = 0
const rows = new Map()

connect()
setInterval(() => {
  if (source !== undefined && performance.now() - receivedAtMs > silenceLimitMs) lose()
  render()
}, 1_000)
element('filter').addEventListener('input', render)

function connect() {
  receivedAtMs = performance.now()
  source = new EventSource('nodes/events')
  source.onmessage = ({ data }) => {
    status = JSON.parse(data)
    receivedAtMs = performance.now()
    if (failures > 0) reconnects++
    failures = 0
    showConnection('live', reconnects === 0 ? 'Live' : `Live, reconnected ${times(reconnects)}`)
    render()
  }
  source.onerror = lose
}

function lose() {
  source?.close()
  source = undefined
  const waitMs = Math.min(retryLimitMs, 1_000 * 2 ** failures++)
  const since = status === undefined ? '' : `; as of ${new Date().toLocaleTimeString()}`
  if (failures === 1) showConnection('lost', `No connection, trying again${since}`)
  setTimeout(connect, waitMs)
}

function showConnection(state, text) {
  document.body.dataset.connection = state
  element('connection').dataset.state = state
  setText(element('connection'), text)
}

function render() {
  if (status === undefined) return
  // Times go on between two frames, but not without end when none come.
  const elapsed = Math.min(6, (performance.now() - receivedAtMs) / 1_000)
  renderAdapter(status, elapsed)
  renderNodes(status, elapsed)
  renderNotice(status)
}

function renderAdapter({ version, revocations, logAgeSeconds, counts, discoveryPort }, elapsed) {
  const { current, behind, refusing, disconnected } = counts
  setText(element('version'), numbers.format(Math.max(0, version)))
  setText(element('revocations'), numbers.format(revocations))
  setText(element('log-age'), logAgeSeconds === null ? 'unread' : duration(logAgeSeconds + elapsed))
  setText(element('total'), numbers.format(current + behind + refusing))
  setCount('behind', behind)
  setCount('refusing', refusing)
  setCount('disconnected', disconnected)
  for (const part of element('strip').children) {
    part.hidden = counts[part.dataset.state] === 0
    part.style.flexGrow = counts[part.dataset.state]
  }
  const troubled = behind + refusing
  document.title = troubled > 0 ? `${numbers.format(troubled)} in trouble: Rescind fleet` : 'Rescind fleet'
  const host = location.hostname.includes(':') ? `[${location.hostname}]` : location.hostname
  setText(element('start'), `RESCIND_ENFORCER_ADAPTERS=${host}:${discoveryPort} rescind enforcer`)
}

function renderNotice({ ready, reasons, incomplete, nodes, counts }) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const sentences = [
    ...(ready ? [] : [`This adapter serves no new enforcers: ${reasons.join('; ')}.`]),
    ...(incomplete
      ? [
          'More enforcers have disconnected than can be remembered (adapter.maxStreams); some are missing here.',
        ]
      : []),
    ...(nodes.length < total
      ? [`The ${numbers.format(nodes.length)} in most trouble of ${numbers.format(total)} are listed.`]
      : []),
  ]
  element('notice').hidden = sentences.length === 0
  setText(element('notice'), sentences.join(' '))
}

function renderNodes({ nodes }, elapsed) {
  element('fleet').hidden = nodes.length === 0
  element('empty').hidden = nodes.length > 0
  const wanted = element('filter').value.trim().toLowerCase()
  const shown = nodes.filter(node => searchText(node).includes(wanted))
  const keys = new Set()
  let next = element('rows').firstElementChild
  for (const node of shown) {
    const key = JSON.stringify([node.identity ?? null, node.label, node.instance])
    keys.add(key)
    const row = rows.get(key) ?? addRow(key)
    fill(row, node, elapsed)
    if (row.line === next) next = next.nextElementSibling
    else element('rows').insertBefore(row.line, next)
  }
  for (const [key, { line }] of rows) {
    if (keys.has(key)) continue
    line.remove()
    rows.delete(key)
  }
  const count = numbers.format(nodes.length)
  setText(element('shown'), wanted === '' ? `${count} listed` : `${numbers.format(shown.length)} of ${count}`)
}

const searchText = ({ identity = '', label, instance, peer, state }) =>
  `${instance} ${label} ${identity} ${peer} ${stateNames[state]}`.toLowerCase()

function addRow(key) {
  const line = element('row').content.firstElementChild.cloneNode(true)
  const fields = Object.fromEntries(
    [...line.querySelectorAll('[data-field]')].map(field => [field.dataset.field, field]),
  )
  const row = { line, fields }
  rows.set(key, row)
  return row
}

function fill({ line, fields }, node, elapsed) {
  const { ackedVersion, lagSeconds, lagVersions, secondsSinceAck } = node
  line.dataset.state = node.state
  fields.tag.hidden = !node.partial
  setText(fields.state, stateNames[node.state])
  setText(fields.tag, node.partial ? 'partial' : '')
  setText(fields.instance, node.instance)
  setText(fields.label, node.label)
  setText(fields.identity, node.identity ?? node.peer)
  setText(fields.peer, node.identity === undefined ? '' : node.peer)
  setText(fields.version, ackedVersion < 0 ? 'none' : numbers.format(ackedVersion))
  setText(fields.lag, lagSeconds === 0 ? '0 s' : duration(lagSeconds + elapsed))
  setText(fields.lagVersions, lagVersions === 0 ? '' : `${numbers.format(lagVersions)} behind`)
  setText(fields.ack, secondsSinceAck === undefined ? 'never' : ago(secondsSinceAck + elapsed))
  setText(fields.note, noteOf(node, elapsed))
}

function noteOf(node, elapsed) {
  const { state, sinceSeconds, secondsUntilRetry, lastNack, streams } = node
  const notes = []
  if (state === 'disconnected') notes.push(`Left ${ago(sinceSeconds + elapsed)}.`)
  if (state === 'refusing') {
    const wait = Math.max(0, (secondsUntilRetry ?? 0) - elapsed)
    notes.push(`\u201c${node.nackError || 'no reason given'}\u201d`, `Next try in ${duration(wait)}.`)
  } else if (lastNack !== undefined) {
    const when = ago(lastNack.secondsAgo + elapsed)
    notes.push(`Refused something ${when}: \u201c${lastNack.error || 'no reason given'}\u201d`)
  }
  if (node.partial) notes.push('Gets only revocations of single tokens.')
  if (streams > 1) notes.push(`${streams} streams.`)
  return notes.join(' ')
}

const times = count => (count === 1 ? 'once' : `${count} times`)

const ago = seconds => (seconds < 1.5 ? 'now' : `${duration(seconds)} ago`)

function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

function setCount(id, count) {
  setText(element(id), numbers.format(count))
  element(id).dataset.alarm = count > 0 ? id : ''
}

/** Only what differs, so that nothing is selected, read out or drawn again without need. */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text
}
