/**
 * Hands items from one producer to one consumer, one at a time, so that a slow consumer holds the producer up.
 *
 * @module
 */

/** A place for one item. */
export interface HandOver<Item> {
  readonly isEmpty: boolean
  /** Resolves when the item lies ready; waits while another one does. After the end it does nothing. */
  put(item: Item): Promise<void>
  /** The next item; undefined after the end. Throws what {@link end} was given, after the last item. */
  take(): Promise<Item | undefined>
  end(error?: unknown): void
}

/** Creates an empty one. */
export function createHandOver<Item>(): HandOver<Item> {
  const items: Item[] = []
  let ended: { readonly error: unknown } | undefined
  const waiting: (() => void)[] = []
  const changed = () => new Promise<void>(resolve => waiting.push(resolve))
  const change = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }

  return {
    get isEmpty() {
      return items.length === 0
    },
    put: async item => {
      while (items.length > 0 && ended === undefined) await changed()
      if (ended !== undefined) return
      items.push(item)
      change()
    },
    take: async () => {
      while (items.length === 0 && ended === undefined) await changed()
      const item = items.pop()
      change()
      if (item === undefined && ended?.error !== undefined) throw ended.error
      return item
    },
    end: error => {
      ended ??= { error }
      change()
    },
  }
}
