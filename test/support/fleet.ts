/**
 * Fleets without network: streams whose status a test sets, and a clock that it turns.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createFleet, type Fleet, type FleetOptions } from '../../adapter/fleet.ts'
import type { FleetNode, Peer } from '../../adapter/fleet-node.ts'
import type { SessionStatus } from '../../adapter/stream-session.ts'

type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] }

/** A stream whose status may be changed. */
export interface SetStream {
  readonly status: Mutable<SessionStatus>
}

/** The stream of an enforcer that takes everything. */
export const streamOf = (instance: string, status: Partial<SessionStatus> = {}): SetStream => ({
  status: {
    node: { label: 'label', instance },
    protocol: 'delta',
    partial: false,
    ackedVersion: -1,
    lastAckAtMs: undefined,
    nackError: undefined,
    lastNack: undefined,
    retryAtMs: undefined,
    saidGoodbye: false,
    ...status,
  },
})

/** A fleet with a clock; times that are passed on are `ms`. */
export interface ClockedFleet {
  ms: number
  readonly fleet: Fleet
  /** Opens a stream. */
  open(instance: string, status?: Partial<SessionStatus>, peer?: Partial<Peer>): SetStream
  close(stream: SetStream): void
  serve(version: number, restarts?: number): void
  nodes(): readonly FleetNode[]
  /** The only node with this instance. */
  node(instance: string): FleetNode | undefined
}

/** Creates a fleet that remembers for a minute, at 1,000 s. */
export const createClockedFleet = (options: Partial<FleetOptions> = {}): ClockedFleet => {
  const fleet = createFleet({ nodesLimit: 100, rememberedMs: 60_000, ...options })
  const self: ClockedFleet = {
    ms: 1_000_000,
    fleet,
    open(instance, status, peer = {}) {
      const stream = streamOf(instance, status)
      fleet.add(stream, { address: '10.0.0.1:1', identity: undefined, ...peer }, self.ms)
      return stream
    },
    close: stream => fleet.remove(stream, self.ms),
    serve: (version, restarts = 0) => fleet.serves(version, restarts, self.ms),
    nodes: () => fleet.nodes(self.ms),
    node: instance => self.nodes().find(node => node.instance === instance),
  }
  return self
}

/** Fails unless these are the nodes, as far as the fields go that are expected. */
export const assertShown = (
  nodes: readonly (FleetNode | undefined)[],
  expected: readonly Partial<FleetNode>[],
): void => {
  const shown = nodes.map((node, index) =>
    Object.fromEntries(
      Object.keys(expected[index] ?? {}).map(name => [name, node?.[name as keyof FleetNode]]),
    ),
  )
  assert.deepEqual(shown, expected)
}
