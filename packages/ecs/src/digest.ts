import type { World } from './world.js'

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)

/** Two 32-bit words that values are mixed into. */
class Mixer {
  h1 = 0x811c9dc5
  h2 = 0x9747b28c

  mix(value: number, salt: number): void {
    scratch[0] = value
    this.h1 = Math.imul(this.h1 ^ (scratchWords[0] as number), 0x01000193)
    this.h2 = Math.imul(this.h2 ^ (scratchWords[1] as number), 0x85ebca6b)
    this.h2 = Math.imul(this.h2 ^ salt ^ this.h1, 0xc2b2ae35)
    this.h1 ^= this.h1 >>> 15
    this.h2 ^= this.h2 >>> 13
  }
}

/**
 * Digest of the model state: every live row of every model column, in order of declaration and of ids, as 16 hex
 * digits. Rows of unordered pools are added up, and what points to them is replaced by `nameOf` the row, so that it does
 * not matter which row holds what. Two runs with equal state have equal digests, whatever threads did the work.
 */
export function digestWorld(world: World, nameOf: (row: number) => number = (row) => row): string {
  const all = new Mixer()
  world.eachModelTable((component, columns, live, rows) => {
    const isReference = columns.map(({ name }) => component.references.includes(name))
    if (component.unorderedRows) {
      let sum1 = 0
      let sum2 = 0
      for (let row = 0; row < rows; row++) {
        if (live !== null && live[row] === 0) continue
        const one = new Mixer()
        columns.forEach(({ values }, c) => {
          const value = values[row] as number
          if (value !== 0) one.mix(isReference[c] === true ? nameOf(value) : value, c)
        })
        sum1 = (sum1 + (one.h1 >>> 0)) % 0x1_0000_0000
        sum2 = (sum2 + (one.h2 >>> 0)) % 0x1_0000_0000
      }
      all.mix(sum1, 1)
      all.mix(sum2, 2)
      return
    }
    columns.forEach(({ values }, c) => {
      const n = Math.min(values.length, rows)
      for (let row = 0; row < n; row++) {
        const value = values[row] as number
        if (value === 0 || (live !== null && live[row] === 0)) continue
        all.mix(isReference[c] === true ? nameOf(value) : value, row)
      }
      all.mix(n, c)
    })
  })
  return (all.h1 >>> 0).toString(16).padStart(8, '0') + (all.h2 >>> 0).toString(16).padStart(8, '0')
}
