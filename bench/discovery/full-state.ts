/**
 * Lets an enforcer that holds everything get everything again.
 *
 * @module
 */
import type { RunningAdapter, RunningEnforcer } from './setting.ts'

const attemptsLimit = 10

/**
 * Resolves when the enforcer has applied a full state; `rolledBack` as after an accident of the log. A stream that breaks
 * before or on the way resumes where it was, so that none comes: then once more.
 */
export const sendFullState = async (
  adapter: RunningAdapter,
  enforcer: RunningEnforcer,
  rolledBack: boolean,
): Promise<void> => {
  const applied = async () => (await enforcer.tell('fullStates', {})).applied
  const before = await applied()
  for (let attempt = 0; attempt < attemptsLimit; attempt++) {
    await adapter.tell('resync', { rolledBack })
    if ((await applied()) > before) return
  }
  throw new Error(`no full state was applied in ${attemptsLimit} attempts`)
}
