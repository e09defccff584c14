/**
 * The processes of a simulation, put together from the product's own parts as the command line does it.
 *
 * @module
 */
import { createDiscovery, type Discovery } from '../../adapter/discovery.ts'
import { createFleet } from '../../adapter/fleet.ts'
import { startDiscoveryClient } from '../../enforcer/discovery/client.ts'
import { createDeltaFeed } from '../../enforcer/discovery/delta-feed.ts'
import { pruneSnapshot } from '../../enforcer/discovery/snapshot.ts'
import type { SnapshotStore } from '../../enforcer/discovery/stored-snapshot.ts'
import { Subscription } from '../../enforcer/discovery/subscription.ts'
import { keepSnapshot } from '../../enforcer/snapshot-keeper.ts'
import { type Checkpoint, openCheckpoint } from '../../event-log/checkpoint.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import type { RestartReason } from '../../event-log/restart-reason.ts'
import { keepLifetimeDeclared } from '../../revoker/lifetime-declaration.ts'
import { trimLog } from '../../revoker/log-trimming.ts'
import { createPublisher, type Publisher } from '../../revoker/publisher.ts'
import { plainCodec } from '../support/revocations.ts'
import type { CheckpointDisk } from './disk.ts'
import type { DeltaClientStream, StreamServer } from './stream.ts'
import type { Process } from './world.ts'

/** Time rules of a simulation, seconds. */
export const rules = {
  toleranceSeconds: 5,
  /** Clocks are at most half of it ahead of or behind the true time. */
  maxClockDifferenceSeconds: 20,
  lifetimeSeconds: 300,
  raisedLifetimeSeconds: 600,
} as const

const graceSeconds = rules.toleranceSeconds + rules.maxClockDifferenceSeconds

/** What may be small, so that much happens between few entries. */
const entriesPerMessage = 3
const sharedBytesLimit = 4_096
const trimEveryMs = 5_000
const slackEntries = 8
const pruneEveryMs = 1_000
const saveEveryMs = 2_000
const useStoredAfterMs = 1_500

/** Whom a process tells of what it finds. */
export interface FollowingListener {
  /** The log is read from its start. */
  readonly onRestart: (reason: RestartReason) => void
  /** Something of the program failed that nothing may make fail. */
  readonly onFatal: (error: unknown) => void
}

/** A process that follows the log. */
export interface FollowingNode {
  readonly process: Process
  readonly log: EventLog
  readonly follower: LogFollower
}

/** A revoker. */
export interface RevokerNode extends FollowingNode {
  /** Undefined until it takes requests. */
  readonly publisher: Publisher | undefined
}

/** An adapter. */
export interface AdapterNode extends FollowingNode, StreamServer {}

/** Follows a log, with a checkpoint if there is a disk. */
export async function startFollowing(
  process: Process,
  log: EventLog,
  disk: CheckpointDisk | undefined,
  listener: FollowingListener,
): Promise<FollowingNode> {
  const { clock, logger } = process
  const checkpoint: Checkpoint | undefined =
    disk &&
    (await openCheckpoint({
      folder: process.machine.name,
      codec: plainCodec,
      onError: () => logger.error({}, 'the checkpoint cannot be written'),
      openStore: async (_, load) => disk.open(process, load),
      clock,
    }))
  const follower = followLog({
    log,
    codec: plainCodec,
    graceSeconds,
    clock,
    ...(checkpoint === undefined ? {} : { state: checkpoint.state, beforeComplete: checkpoint.flush }),
    onApplied: (entry, applied) => checkpoint?.noteApplied(entry, applied),
    onRestart: reason => {
      logger.error({}, `reads the log from its start: ${reason}`)
      listener.onRestart(reason)
    },
    onFatal: listener.onFatal,
  })
  return { process, log, follower }
}

/** Runs a revoker on a log; it takes requests when the log was read to its end and declares the lifetime. */
export function startRevoker(
  node: FollowingNode,
  random: () => number,
  lifetimeSeconds: number,
): RevokerNode {
  const { process, log, follower } = node
  const { clock, logger } = process
  const options = { log, follower, codec: plainCodec, graceSeconds, logger, clock }
  let publisher: Publisher | undefined
  const declaration = keepLifetimeDeclared({ ...options, maxTokenLifetimeSeconds: lifetimeSeconds })
  void declaration.declared.then(() => {
    trimLog({ ...options, everyMs: trimEveryMs, slackEntries, random })
    publisher = createPublisher({
      ...options,
      revocationsLimit: 1_000_000,
      nowSeconds: () => clock.wallMs() / 1000,
    })
  })
  return {
    ...node,
    get publisher() {
      return publisher
    },
  }
}

/** Runs an adapter on a log. */
export function startAdapter(
  node: FollowingNode,
  random: () => number,
  streamMaxAgeMs: number,
): AdapterNode & { readonly discovery: Discovery } {
  const { logger, clock } = node.process
  const discovery = createDiscovery({
    follower: node.follower,
    fleet: createFleet({ nodesLimit: 16, rememberedMs: 60_000 }),
    toleranceSeconds: rules.toleranceSeconds,
    streamMaxAgeMs,
    streamsLimit: 16,
    // One message at a time, until the window has room.
    unwrittenBytesLimit: 1,
    logger,
    clock,
    random,
    entriesBytesLimit: entriesPerMessage * 24,
    sharedBytesLimit,
  })
  return { ...node, discovery, serve: discovery.serveDelta }
}

/** An enforcer, without its transport towards Envoy. */
export interface EnforcerNode {
  readonly process: Process
  readonly subscription: Subscription
}

/** Where an enforcer gets its revocations from. */
export interface EnforcerSources {
  readonly adapters: readonly string[]
  open(adapter: string): DeltaClientStream
  /** Where it keeps its snapshot, if it does. */
  readonly store: SnapshotStore | undefined
  readonly random: () => number
}

/** Runs an enforcer; `onSubscribed` is told of it before anything reaches it but what it had stored. */
export async function startEnforcer(
  process: Process,
  { adapters, open, store, random }: EnforcerSources,
  onSubscribed: (node: EnforcerNode) => void,
): Promise<void> {
  const { clock, logger } = process
  const subscription = new Subscription({
    label: 'simulated',
    instance: process.machine.name,
    revocationsLimit: 1_000_000,
  })
  if (store !== undefined)
    await keepSnapshot({ store, subscription, logger, clock, saveEveryMs, useAfterMs: useStoredAfterMs })
  if (!process.isAlive) return
  onSubscribed({ process, subscription })
  startDiscoveryClient({
    adapters,
    feed: createDeltaFeed(subscription),
    logger,
    onReceived: () => undefined,
    transport: { open, reasonOf: ({ message }) => message },
    clock,
    random,
  })
  clock.every(pruneEveryMs, () => pruneSnapshot(subscription.snapshot, clock.wallMs() / 1000))
}
