/**
 * What is killed when, drawn from a seed.
 *
 * @module
 */

/** What a process is for; `all` is revoker, adapter, enforcer and log in one. */
export type VictimKind = 'log' | 'revoker' | 'adapter' | 'enforcer' | 'all'

/** One kill. */
export interface Kill {
  /** Milliseconds after the beginning. */
  readonly atMs: number
  /** Which of the processes. */
  readonly victim: number
  /** Milliseconds that it lives at least after it was started again. */
  readonly upMs: number
  /** Milliseconds for which it is left dead before it is started again. */
  readonly downMs: number
}

/** How much is killed, and during how long. */
export interface KillOptions {
  readonly kills: number
  /** Milliseconds. */
  readonly spanMs: number
}

const leastOfEachKind = 5
const upMsMax = 4_000
const downMsMax = 1_500

/**
 * Draws kills, in the order of their times. Each kind is killed five times, or if there are too few kills all kinds
 * equally often; the rest falls on any process.
 *
 * @param victims the kind of each process.
 */
export function drawKills(
  victims: readonly VictimKind[],
  { kills, spanMs }: KillOptions,
  random: () => number,
): readonly Kill[] {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const kinds = [...new Set(victims)]
  const numbers = victims.map((_, index) => index)
  const share = Math.min(leastOfEachKind, Math.floor(kills / kinds.length))
  const chosen = kinds.flatMap(kind => {
    const ofKind = numbers.filter(index => victims[index] === kind)
    return Array.from({ length: share }, () => pick(ofKind))
  })
  while (chosen.length < kills) chosen.push(pick(numbers))
  return chosen
    .map(victim => ({
      victim,
      atMs: random() * spanMs,
      upMs: random() * upMsMax,
      downMs: random() * downMsMax,
    }))
    .sort((one, other) => one.atMs - other.atMs)
}
