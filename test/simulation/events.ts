/**
 * What people do in a simulation: revoke, repeat, restore, declare; and what an acknowledgement must mean.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { matchKeyText } from '../../revocation/key.ts'
import type { NewRevocation, Published } from '../../revoker/publisher.ts'
import { plainCodec } from '../support/revocations.ts'
import type { Cast } from './cast.ts'
import { holds, type Known, type Stored } from './history.ts'
import { type RevokerNode, rules } from './nodes.ts'
import { violation } from './violation.ts'
import { declaredNames, drawRevocation, restorationOf } from './workload.ts'

/** Lets somebody do something at a revoker that takes requests; nothing if there is none. */
export function act(cast: Cast): void {
  const { dice } = cast.world
  const node = pickRevoker(cast)
  if (node === undefined) return
  const kind = dice.next()
  if (kind < 0.54) publish(cast, node, drawRevocation(dice, cast.tokens, secondsOf(node)))
  else if (kind < 0.7) repeat(cast, node)
  else if (kind < 0.92) restore(cast, node)
  else declare(cast, node)
}

const secondsOf = ({ process }: RevokerNode): number => process.clock.wallMs() / 1000

function pickRevoker({ world: { dice }, revokers }: Cast): RevokerNode | undefined {
  const taking = revokers.flatMap(({ node }) => (node?.publisher === undefined ? [] : [node]))
  return taking.length === 0 ? undefined : dice.pick(taking)
}

function publish(cast: Cast, node: RevokerNode, revocation: NewRevocation, mayRepeat = true): void {
  const { world, cluster } = cast
  const { dice, trace } = world
  const name = node.process.machine.name
  const asked = { end: cluster.leader.end, accidents: cluster.accidents }
  trace.add(name, `is asked to revoke ${textOf(revocation)}`)
  node.publisher?.publish(revocation).then(
    published => {
      trace.add(
        name,
        `has revoked ${textOf(revocation)}: ${published.id === undefined ? 'it was there at' : 'position'} ${published.position}`,
      )
      if (asked.accidents === cluster.accidents && cluster.servers.length === 1)
        checkAcknowledged(cast, revocation, published, asked.end)
    },
    error => {
      trace.add(name, `has not revoked ${textOf(revocation)}: ${codeOf(error)}`)
      if (!(error instanceof RescindError)) world.fail(error)
      const other = pickRevoker(cast)
      if (mayRepeat && other !== undefined && dice.chance(0.5)) publish(cast, other, revocation, false)
    },
  )
}

/** What was acknowledged is in the log; or something that does as much was, at a moment since it was asked for. */
function checkAcknowledged(
  { cluster, world }: Cast,
  revocation: NewRevocation,
  { id, position }: Published,
  askedAt: Stored | undefined,
): void {
  const { end } = cluster.leader
  if (id !== undefined) {
    const isThere = end?.knowledge.revocations.some(({ revocation: stored }) => stored.id === id)
    if (!isThere)
      world.fail(
        violation('B1', `${textOf(revocation)} was acknowledged at ${position}, but is not in the log`),
      )
    return
  }
  for (let at = end; at !== undefined; at = at.before) {
    if (isCovered(at, revocation)) return
    if (at === askedAt) break
  }
  if (askedAt === undefined || holds(end, askedAt))
    world.fail(
      violation(
        'invariant 1',
        `${textOf(revocation)} was acknowledged as held at ${position}, but was restored before it was asked for`,
      ),
    )
}

function isCovered({ knowledge }: Stored, { match, issuedBefore, expiresAt }: NewRevocation): boolean {
  const key = matchKeyText(match, issuedBefore !== undefined).text
  const live = knowledge.revocations
    .filter(one => one.key === key && !knowledge.restored.has(one.revocation.id))
    .map(({ revocation }) => revocation)
  return issuedBefore === undefined
    ? live.some(one => Math.ceil(one.expiresAt ?? 0) >= Math.ceil(expiresAt ?? 0))
    : live.some(one => (one.issuedBefore ?? 0) >= issuedBefore)
}

/** Sources that repeat themselves do so by the same id. */
function repeat(cast: Cast, node: RevokerNode): void {
  const { world, history } = cast
  const unexpired = history.known.filter(
    ({ revocation: { expiresAt = Number.POSITIVE_INFINITY } }) => expiresAt > secondsOf(node),
  )
  if (unexpired.length === 0) return
  const { revocation } = world.dice.pick(unexpired)
  const later = world.dice.pick([0, 20, 300])
  const { match, id, issuedBefore, expiresAt } = revocation
  const times = issuedBefore === undefined ? { expiresAt: (expiresAt ?? 0) + later } : { issuedBefore }
  publish(cast, node, { match, id, actor: 'simulation', ...times })
}

function restore(cast: Cast, node: RevokerNode): void {
  const { world, cluster, history } = cast
  const { dice, trace } = world
  const knowledge = cluster.leader.end?.knowledge
  const restorable = (knowledge?.revocations ?? []).filter(
    ({ revocation }) => !knowledge?.restored.has(revocation.id),
  )
  if (restorable.length === 0) return
  const known: Known = dice.pick(restorable)
  trace.add(node.process.machine.name, `is asked to restore ${textOf(known.revocation)}`)
  // A copy that lasts longer may have been lost; its source will say the same again.
  const lasting = history.known.filter(({ revocation }) => revocation.id === known.revocation.id)
  const longest = lasting.reduce((one, other) => (expiryOf(other) > expiryOf(one) ? other : one), known)
  append(
    cast,
    node,
    plainCodec.encode(restorationOf(longest, dice.id(), rules.raisedLifetimeSeconds, secondsOf(node))),
  )
}

const expiryOf = ({ revocation }: Known): number => revocation.expiresAt ?? 0

function declare(cast: Cast, node: RevokerNode): void {
  const { dice, trace } = cast.world
  const names = dice.pick(declaredNames)
  const cut = dice.chance(0.5)
  trace.add(node.process.machine.name, `declares ${names.join(' + ')}, ${cut ? 'cut' : 'block'}`)
  append(cast, node, plainCodec.encode({ kind: 'claim-set', names, cut }, dice.id()))
}

function append({ world }: Cast, node: RevokerNode, event: Buffer): void {
  node.log.append(event).catch(error => {
    world.trace.add(node.process.machine.name, `has not appended: ${codeOf(error)}`)
    if (!(error instanceof RescindError)) world.fail(error)
  })
}

const textOf = ({
  match,
  issuedBefore,
  expiresAt,
}: Pick<NewRevocation, 'match' | 'issuedBefore' | 'expiresAt'>): string =>
  `${JSON.stringify(match)} ${issuedBefore === undefined ? `until ${expiresAt}` : `cut at ${issuedBefore}`}`

const codeOf = (error: unknown): string => (error instanceof RescindError ? error.code : String(error))
