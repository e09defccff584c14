/**
 * Answers that must come in time.
 *
 * @module
 */

/**
 * Passes a result on, or fails when it takes too long; what is under way goes on.
 *
 * @param late makes the error.
 */
export function withDeadline<Result>(
  result: Promise<Result>,
  timeoutMs: number,
  late: () => Error,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(late()), timeoutMs)
  })
  return Promise.race([result, passed]).finally(() => clearTimeout(timer))
}
