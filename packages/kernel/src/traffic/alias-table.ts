import { type Columns, defineSystem, randomStreams } from '@softnet/ecs'
import { AliasSlot } from './components.js'

/**
 * Fills rows `base … base + weights.length − 1` so that entry i is drawn with probability weight / sum; `values[i]` is
 * what it stands for. Weights are at least 0 and not all 0.
 */
export function fillAliasTable(
  columns: Columns<typeof AliasSlot.schema>,
  base: number,
  weights: ArrayLike<number>,
  values: ArrayLike<number> | null,
): void {
  const n = weights.length
  let sum = 0
  for (let i = 0; i < n; i++) sum += weights[i] as number
  const scaled = new Float64Array(n)
  const small = new Uint32Array(n)
  const large = new Uint32Array(n)
  let smallCount = 0
  let largeCount = 0
  for (let i = 0; i < n; i++) {
    scaled[i] = ((weights[i] as number) * n) / sum
    if (scaled[i] < 1) small[smallCount++] = i
    else large[largeCount++] = i
    columns.value[base + i] = values === null ? i : (values[i] as number)
    columns.threshold[base + i] = 2 ** 32
    columns.alias[base + i] = i
  }
  while (smallCount > 0 && largeCount > 0) {
    const less = small[--smallCount]
    const more = large[--largeCount]
    columns.threshold[base + less] = Math.round(scaled[less] * 2 ** 32)
    columns.alias[base + less] = more
    scaled[more] = scaled[more] + scaled[less] - 1
    if (scaled[more] < 1) small[smallCount++] = more
    else large[largeCount++] = more
  }
}

/** Draws the value of a random entry of a table with the given stream. */
export type DrawAlias = (stream: number, base: number, count: number) => number

/** One draw: an entry by one word, itself or its alias by another. Kernel: none */
export const drawAlias = defineSystem<DrawAlias>('draw_alias', 'traffic', 'none', (context) => {
  const { threshold, alias, value } = context.read(AliasSlot)
  const random = context.system(randomStreams)
  return (stream, base, count) => {
    const row = base + random.below(stream, count)
    return random.word(stream) < threshold[row] ? value[row] : value[base + alias[row]]
  }
})
