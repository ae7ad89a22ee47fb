import { Draw } from './draw.js'

const sleepWord = new Int32Array(new SharedArrayBuffer(4))

/** Gives way at drawn points, now and then for long enough that the others get through a round. */
export function yieldsOf(seed: number, worker: number): { yieldAt?: () => void } {
  if (seed === 0) return {}
  const draw = new Draw(seed, 40 + worker)
  return {
    yieldAt() {
      if (draw.chance(0.02)) Atomics.wait(sleepWord, 0, 0, draw.share())
    },
  }
}
