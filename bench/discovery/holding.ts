/**
 * What adapter and enforcer hold in memory, also while a full state replaces another one.
 *
 * @module
 */
import { forgetPeak, type Memory, memoryOf } from '../load/memory.ts'
import { sendFullState } from './full-state.ts'
import {
  expectEntries,
  type RunningAdapter,
  type RunningEnforcer,
  type Setting,
  withEnforcer,
} from './setting.ts'

/** What was found. */
export interface Holding {
  /** When it had served an enforcer, and its garbage was collected. */
  readonly adapter: Memory
  /** When it was ready, as it was. */
  readonly enforcerAtFirst: Memory
  /** When its garbage was collected. */
  readonly enforcer: Memory
  /** Most while a full state replaced what it held. */
  readonly swapPeakMb: number
  /** The same after an accident of the log, from which it keeps everything beside what it receives. */
  readonly rolledBackSwapPeakMb: number
}

/** Measures an adapter and one enforcer. */
export const measureHolding = (setting: Setting, adapter: RunningAdapter): Promise<Holding> => {
  setting.options.progress('memory of adapter and enforcer')
  return withEnforcer(setting, adapter, async enforcer => {
    const enforcerAtFirst = memoryOf(enforcer.pid)
    await enforcer.tell('collectGarbage', {})
    const settled = memoryOf(enforcer.pid)
    await adapter.tell('collectGarbage', {})
    const adapterSettled = memoryOf(adapter.pid)
    setting.options.progress('memory of an enforcer that gets a full state again')
    const swapPeakMb = await measureSwap(adapter, enforcer, false)
    const rolledBackSwapPeakMb = await measureSwap(adapter, enforcer, true)
    return { adapter: adapterSettled, enforcerAtFirst, enforcer: settled, swapPeakMb, rolledBackSwapPeakMb }
  })
}

const measureSwap = async (
  adapter: RunningAdapter,
  enforcer: RunningEnforcer,
  rolledBack: boolean,
): Promise<number> => {
  forgetPeak(enforcer.pid)
  await sendFullState(adapter, enforcer, rolledBack)
  await expectEntries(enforcer, adapter.entries)
  return memoryOf(enforcer.pid).peakMb
}
