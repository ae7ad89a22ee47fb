import type { World } from './world.js'

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)

/**
 * Digest of the model state: every live row of every model column, in order of declaration and of ids, as 16 hex
 * digits. Two runs with equal state have equal digests, whatever threads did the work.
 */
export function digestWorld(world: World): string {
  let h1 = 0x811c9dc5
  let h2 = 0x9747b28c
  world.eachModelColumn((_name, column, live, rows) => {
    const n = Math.min(column.length, rows)
    const isDouble = column instanceof Float64Array
    for (let i = 0; i < n; i++) {
      if (live !== null && live[i] === 0) continue
      const value = column[i] as number
      if (value === 0) continue
      if (isDouble) {
        scratch[0] = value
        h1 = Math.imul(h1 ^ (scratchWords[0] as number), 0x01000193)
        h2 = Math.imul(h2 ^ (scratchWords[1] as number), 0x85ebca6b)
      } else {
        h1 = Math.imul(h1 ^ value, 0x01000193)
      }
      h2 = Math.imul(h2 ^ i ^ h1, 0xc2b2ae35)
      h1 ^= h1 >>> 15
      h2 ^= h2 >>> 13
    }
    h1 = Math.imul(h1 ^ n, 0x01000193)
    h2 = Math.imul(h2 ^ h1, 0x85ebca6b)
  })
  return (h1 >>> 0).toString(16).padStart(8, '0') + (h2 >>> 0).toString(16).padStart(8, '0')
}
