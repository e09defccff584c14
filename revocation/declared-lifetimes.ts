/**
 * The declarations of how long tokens may live that a log holds, and what they lead to.
 *
 * @module
 */
import type { LifetimeDeclaration } from './revocation.ts'
import { secondsUp } from './time.ts'
import {
  type DeclaredLifetime,
  declareLifetime,
  defaultTokenLifetimes,
  lifetimesOf,
  type TokenLifetimes,
} from './token-lifetimes.ts'

/** What a checkpoint keeps of them. */
export interface DeclaredLifetimesImage {
  readonly declarations: readonly DeclaredLifetime[]
  /** See {@link DeclaredLifetimes.longestDeclaredAt}. */
  readonly longestDeclaredAt: number
}

/** The declarations that count. */
export class DeclaredLifetimes {
  #declarations: readonly DeclaredLifetime[] = []
  #lifetimes: TokenLifetimes = defaultTokenLifetimes
  #longestDeclaredAt = Number.NEGATIVE_INFINITY

  /** What they lead to. */
  get lifetimes(): TokenLifetimes {
    return this.#lifetimes
  }

  /** The longest one, seconds, also of a former log; 0 if there is none. */
  get longestSeconds(): number {
    return this.#declarations.at(-1)?.seconds ?? 0
  }

  /** When the log last declared the longest one, seconds; -Infinity if it does not. */
  get longestDeclaredAt(): number {
    return this.#longestDeclaredAt
  }

  /** What a checkpoint keeps. */
  get image(): DeclaredLifetimesImage {
    return { declarations: this.#declarations, longestDeclaredAt: this.#longestDeclaredAt }
  }

  /** Takes over what a checkpoint kept. */
  load({ declarations, longestDeclaredAt }: DeclaredLifetimesImage): void {
    this.#declarations = declarations
    this.#lifetimes = lifetimesOf(declarations)
    this.#longestDeclaredAt = longestDeclaredAt
  }

  /** @returns false if the limit was raised too often already. */
  declare({ seconds, declaredAt }: LifetimeDeclaration, position: number): boolean {
    const declarations = declareLifetime(this.#declarations, { seconds, declaredAt, position })
    if (declarations === undefined) return false
    this.#declarations = declarations
    this.#lifetimes = lifetimesOf(declarations)
    const isLongest = secondsUp(seconds) >= this.#lifetimes.seconds
    if (isLongest) this.#longestDeclaredAt = Math.max(this.#longestDeclaredAt, declaredAt)
    return true
  }

  /** Where the log last holds a declaration that counts; undefined if this one does not. */
  positionOf({ seconds, declaredAt }: LifetimeDeclaration): number | undefined {
    return this.#declarations.find(one => one.seconds === seconds && one.declaredAt === declaredAt)?.position
  }

  /** The log begins anew: lifetimes stay, for cuts and tokens go by them, but it has to declare them again. */
  restart(): void {
    this.#longestDeclaredAt = Number.NEGATIVE_INFINITY
  }
}
