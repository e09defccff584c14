/**
 * What the machines of a simulation share, and what can be done to each.
 *
 * @module
 */
import type { AdapterWatch } from './adapter-watch.ts'
import type { CheckpointDisk } from './disk.ts'
import type { EnforcerWatch } from './enforcer-watch.ts'
import type { WatchOptions } from './held.ts'
import type { LogFaults } from './log-link.ts'
import type { Network } from './network.ts'
import { type AdapterNode, type RevokerNode, rules } from './nodes.ts'
import type { Setting } from './setting.ts'
import type { SimulatedStream } from './stream.ts'
import type { Machine, World } from './world.ts'

/** A machine on which something can be killed and started again. */
export interface Actor {
  readonly machine: Machine
  readonly roles: readonly ('revoker' | 'adapter' | 'enforcer')[]
  readonly isRunning: boolean
  start(): void
  kill(): void
  /** Looks whether what runs keeps its promises. */
  check(): void
}

/** An actor that takes revocations. */
export interface RevokerActor extends Actor {
  /** What runs and takes requests now, if it does. */
  readonly node: RevokerNode | undefined
}

/** An actor that serves enforcers. */
export interface AdapterActor extends Actor {
  readonly node: AdapterNode | undefined
  readonly watch: AdapterWatch | undefined
  readonly disk: CheckpointDisk | undefined
}

/** An actor that is asked about tokens. */
export interface EnforcerActor extends Actor {
  readonly watch: EnforcerWatch | undefined
  readonly stream: SimulatedStream | undefined
  /** Milliseconds that it needs to read a message. */
  readMs: number
}

/** What all actors share. */
export interface Shared extends WatchOptions {
  readonly network: Network
  readonly logFaults: LogFaults
  readonly setting: Setting
  spoiltShare: number
}

/** A machine with some clock. */
export const createMachine = ({ dice }: World, name: string): Machine => ({
  name,
  clockAheadMs: dice.between(-0.5, 0.5) * rules.maxClockDifferenceSeconds * 1_000,
})
