/**
 * What a seed draws before it begins: which log, how many processes, how slow everything is, and which faults may happen.
 *
 * @module
 */
import type { Dice } from '../support/random.ts'
import type { LogKind } from './log-server.ts'

/** What can go wrong. */
export const faultKinds = [
  'crash revoker',
  'crash adapter',
  'crash enforcer',
  'cut network',
  'cut stream',
  'log away',
  'log connections lost',
  'fail-over',
  'log created anew',
  'power cut',
  'clock jump',
  'sleep',
  'disk full',
  'slow reader',
] as const

/** One of {@link faultKinds}. */
export type FaultKind = (typeof faultKinds)[number]

/** How a simulation is set up. */
export interface Setting {
  readonly log: LogKind
  readonly revokers: number
  readonly adapters: number
  /** Which enforcers keep their snapshot on disk. */
  readonly snapshots: readonly boolean[]
  /** Which adapters keep a checkpoint. */
  readonly disks: readonly boolean[]
  readonly network: { readonly delayMs: number; readonly slowShare: number }
  readonly lostAnswers: number
  readonly spoiltShare: number
  readonly pageEntries: number
  readonly streamMaxAgeMs: number
  readonly faults: readonly FaultKind[]
  readonly faultCount: number
  /** Revocations, restorations and declarations. */
  readonly eventCount: number
  /** The time over which faults and events are spread, milliseconds. */
  readonly spanMs: number
}

const losesSomething: ReadonlySet<FaultKind> = new Set(['fail-over', 'log created anew', 'power cut'])

/** Draws a setting: only some kinds of faults in each, so that each is also met without the others. */
export function drawSetting(dice: Dice): Setting {
  const log = dice.pick(['embedded', 'redis', 'kafka'] as const)
  const isShared = log !== 'embedded'
  const adapters = isShared ? 1 + dice.int(3) : 1
  const mayLose = dice.chance(0.5)
  return {
    log,
    revokers: isShared ? 1 + dice.int(3) : 0,
    adapters,
    snapshots: Array.from({ length: 2 + dice.int(3) }, () => dice.chance(0.4)),
    disks: Array.from({ length: adapters }, () => dice.chance(0.6)),
    network: { delayMs: dice.pick([0.5, 2, 10]), slowShare: dice.pick([0, 0.01, 0.05]) },
    lostAnswers: dice.pick([0, 0, 0.01, 0.05]),
    spoiltShare: dice.pick([0, 0, 0, 0.01]),
    pageEntries: dice.pick([1, 2, 5, 100]),
    streamMaxAgeMs: dice.pick([5_000, 20_000, 1_000_000]),
    faults: faultKinds.filter(kind => dice.chance(0.5) && (mayLose || !losesSomething.has(kind))),
    faultCount: dice.int(25),
    eventCount: 15 + dice.int(60),
    spanMs: dice.between(10_000, 40_000),
  }
}
