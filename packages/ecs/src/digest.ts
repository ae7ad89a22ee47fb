import type { AnyColumn, Component } from './component.js'
import type { World } from './world.js'

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)

/** Rows that are looked at together: their values fit into the first cache. */
const CHUNK_ROWS = 1024

/** A piece of a column as doubles: what reads it need not know the column's type, which would make it many times slower. */
const chunk = new Float64Array(CHUNK_ROWS)

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

/** True if every byte of the rows is zero; most rows of most columns are. */
function isBlank(words: Int32Array, bytesPerRow: number, from: number, to: number): boolean {
  const end = Math.min(words.length, Math.ceil((to * bytesPerRow) / 4))
  for (let i = Math.floor((from * bytesPerRow) / 4); i < end; i++) if (words[i] !== 0) return false
  return (to * bytesPerRow) / 4 <= words.length
}

/** Calls `visit` for pieces of a column that hold more than zeros, with their first row and their number of rows in `chunk`. */
function eachChunk(values: AnyColumn, rows: number, visit: (from: number, count: number) => void): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.byteLength >>> 2)
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const to = Math.min(rows, from + CHUNK_ROWS)
    if (isBlank(words, values.BYTES_PER_ELEMENT, from, to)) continue
    chunk.set(values.subarray(from, to))
    visit(from, to - from)
  }
}

/** One byte per row: 1 if the row counts. */
function liveRows(live: AnyColumn | null, rows: number): Uint8Array {
  const alive = new Uint8Array(rows)
  if (live === null) return alive.fill(1)
  eachChunk(live, Math.min(rows, live.length), (from, count) => {
    for (let i = 0; i < count; i++) alive[from + i] = chunk[i] === 0 ? 0 : 1
  })
  return alive
}

function mixOrdered(all: Mixer, values: AnyColumn, alive: Uint8Array, name: ((row: number) => number) | null): void {
  eachChunk(values, Math.min(values.length, alive.length), (from, count) => {
    for (let i = 0; i < count; i++) {
      const value = chunk[i] as number
      if (value === 0 || alive[from + i] === 0) continue
      all.mix(name === null ? value : name(value), from + i)
    }
  })
}

/** Sums of the hashes of the rows, so that their order does not count. */
function mixUnordered(
  all: Mixer,
  columns: readonly { readonly values: AnyColumn; readonly name: ((row: number) => number) | null }[],
  alive: Uint8Array,
): void {
  const ids: number[] = []
  for (let row = 0; row < alive.length; row++) if (alive[row] !== 0) ids.push(row)
  const place = new Int32Array(alive.length)
  ids.forEach((row, i) => {
    place[row] = i
  })
  const mixers = ids.map(() => new Mixer())
  columns.forEach(({ values, name }, c) => {
    eachChunk(values, Math.min(values.length, alive.length), (from, count) => {
      for (let i = 0; i < count; i++) {
        const value = chunk[i] as number
        if (value === 0 || alive[from + i] === 0) continue
        mixers[place[from + i] as number]?.mix(name === null ? value : name(value), c)
      }
    })
  })
  let sum1 = 0
  let sum2 = 0
  for (const { h1, h2 } of mixers) {
    sum1 = (sum1 + (h1 >>> 0)) % 0x1_0000_0000
    sum2 = (sum2 + (h2 >>> 0)) % 0x1_0000_0000
  }
  all.mix(sum1, 1)
  all.mix(sum2, 2)
}

/**
 * Digest of the model state: every live row of every model column, in order of declaration and of ids, as 16 hex
 * digits. Rows of unordered pools are added up, and what points to them is replaced by `nameOf` the row, so that it does
 * not matter which row holds what. Two runs with equal state have equal digests, whatever threads did the work.
 * With `isMeant` it is the digest of those components instead.
 */
export function digestWorld(
  world: World,
  nameOf: (row: number) => number = (row) => row,
  isMeant?: (component: Component) => boolean,
): string {
  const all = new Mixer()
  world.eachModelTable((component, columns, live, rows) => {
    const alive = liveRows(live, rows)
    const named = columns.map(({ name, values }) => ({
      values,
      name: component.references.includes(name) ? nameOf : null,
    }))
    if (component.unorderedRows) return mixUnordered(all, named, alive)
    named.forEach(({ values, name }, c) => {
      mixOrdered(all, values, alive, name)
      all.mix(Math.min(values.length, rows), c)
    })
  }, isMeant)
  return (all.h1 >>> 0).toString(16).padStart(8, '0') + (all.h2 >>> 0).toString(16).padStart(8, '0')
}
