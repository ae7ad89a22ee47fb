import { mix32, streamKey } from '@softnet/ecs'

const PURPOSE = 0x7e57

/** Choices drawn from one counter-based stream: the same seed gives the same choices on any machine. */
export class Draw {
  readonly #low: number
  readonly #high: number
  #drawn = 0

  constructor(seed: number, purpose = PURPOSE) {
    const [low, high] = streamKey(seed, 1, purpose)
    this.#low = low
    this.#high = high
  }

  /** Uniform integer in [0, 2^32). */
  word(): number {
    const n = this.#drawn++
    return mix32((this.#low ^ n) >>> 0, (this.#high + Math.imul(n, 0x9e3779b1)) >>> 0)
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return Math.floor((this.word() * n) / 4294967296)
  }

  /** Uniform integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** Uniform number in [0, 1). */
  share(): number {
    return this.word() / 4294967296
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.share() < probability
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  /** A value with the given probability, otherwise nothing: for keys that are mostly left out. */
  maybe<T>(probability: number, value: () => T): T | undefined {
    return this.chance(probability) ? value() : undefined
  }
}

/** Drops the keys without a value, so that a drawn object is what a user would have written. */
export function given<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never
}
