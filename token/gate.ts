/**
 * Lets a few costly operations run at once and a limited number wait.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'

/** Runs operations, some at once, the rest in order of arrival. */
export interface Gate {
  /**
   * Runs the operation when it is its turn.
   *
   * @throws RescindError ERR_OVERLOADED at once if the queue is full
   */
  run<Result>(operation: () => Promise<Result>): Promise<Result>
}

/**
 * @param concurrency how many operations run at once
 * @param queueLimit how many more may wait
 */
export function createGate(concurrency: number, queueLimit: number): Gate {
  const waiting: (() => void)[] = []
  let running = 0

  async function enter(): Promise<void> {
    if (running < concurrency) {
      running++
      return
    }
    if (waiting.length >= queueLimit) {
      throw new RescindError('ERR_OVERLOADED', `${waiting.length} operations wait already; try again later`)
    }
    // Whoever leaves hands its place over, so `running` stays as it is.
    await new Promise<void>(resolve => waiting.push(resolve))
  }

  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else running--
  }

  return {
    async run(operation) {
      await enter()
      try {
        return await operation()
      } finally {
        leave()
      }
    },
  }
}
