/**
 * Simulated time: what is to happen, in the order of its time, and of its scheduling where that is the same.
 *
 * @module
 */

/** Runs events at their times. */
export interface Scheduler {
  /** Milliseconds since the simulation began. */
  readonly nowMs: number
  /** Schedules an event; returns how to call it off. */
  after(ms: number, action: () => void): () => void
  /** Runs the next event; false if there is none. */
  step(): boolean
}

interface Scheduled {
  readonly atMs: number
  readonly number: number
  action: (() => void) | undefined
}

const isBefore = (one: Scheduled, other: Scheduled): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number)

/** Time at its beginning. */
export function createScheduler(): Scheduler {
  const heap: Scheduled[] = []
  let nowMs = 0
  let scheduled = 0

  const push = (event: Scheduled) => {
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent] as Scheduled)) break
      heap[at] = heap[parent] as Scheduled
      at = parent
    }
    heap[at] = event
  }
  const pop = (): Scheduled | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++
      if (!isBefore(heap[child] as Scheduled, last)) break
      heap[at] = heap[child] as Scheduled
      at = child
    }
    heap[at] = last
    return first
  }

  return {
    get nowMs() {
      return nowMs
    },
    after: (ms, action) => {
      const event: Scheduled = { atMs: nowMs + Math.max(0, ms), number: scheduled++, action }
      push(event)
      return () => {
        event.action = undefined
      }
    },
    step: () => {
      for (let event = pop(); event !== undefined; event = pop()) {
        if (event.action === undefined) continue
        nowMs = event.atMs
        event.action()
        return true
      }
      return false
    },
  }
}
