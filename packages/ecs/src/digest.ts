import type { AnyColumn, Component } from './component.js'
import type { World } from './world.js'

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)

/** Rows that are looked at together: their values fit into the first cache. */
const CHUNK_ROWS = 1024

/** Rows that are passed over together where all of them are zero. */
const BLOCK_ROWS = 8 * CHUNK_ROWS

/** A piece of a column as doubles: what reads it need not know the column's type, which would make it many times slower. */
const chunk = new Float64Array(CHUNK_ROWS)

/** As many zeros as a block of the widest type has bytes. */
const zeros = new Uint8Array(BLOCK_ROWS * Float64Array.BYTES_PER_ELEMENT)

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
 * Calls `visit` for pieces of a column that hold more than zeros, with their first row and their number of rows in
 * `chunk`. Most rows of most columns are zero, so they are compared as bytes, in large blocks first.
 */
function eachChunk(values: AnyColumn, rows: number, visit: (from: number, count: number) => void): void {
  const width = values.BYTES_PER_ELEMENT
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  const isBlank = (from: number, to: number): boolean =>
    bytes.compare(zeros, 0, (to - from) * width, from * width, to * width) === 0
  for (let block = 0; block < rows; block += BLOCK_ROWS) {
    const end = Math.min(rows, block + BLOCK_ROWS)
    if (isBlank(block, end)) continue
    for (let from = block; from < end; from += CHUNK_ROWS) {
      const to = Math.min(end, from + CHUNK_ROWS)
      if (isBlank(from, to)) continue
      chunk.set(values.subarray(from, to))
      visit(from, to - from)
    }
  }
}

/** One byte per row: 1 if the row counts; null where all do. */
function liveRows(live: AnyColumn | null, rows: number): Uint8Array | null {
  if (live === null) return null
  const alive = new Uint8Array(rows)
  eachChunk(live, Math.min(rows, live.length), (from, count) => {
    for (let i = 0; i < count; i++) alive[from + i] = chunk[i] === 0 ? 0 : 1
  })
  return alive
}

function mixOrdered(
  all: Mixer,
  values: AnyColumn,
  rows: number,
  step: number,
  alive: Uint8Array | null,
  name: ((row: number) => number) | null,
): void {
  eachChunk(values, rows, (from, count) => {
    // Between rows of a table that are spaced lie its other columns.
    for (let i = (step - (from % step)) % step; i < count; i += step) {
      const value = chunk[i] as number
      if (value === 0 || (alive !== null && alive[from + i] === 0)) continue
      all.mix(name === null ? value : name(value), from + i)
    }
  })
}

/** Sums of the hashes of the rows, so that their order does not count. */
function mixUnordered(
  all: Mixer,
  columns: readonly { readonly values: AnyColumn; readonly name: ((row: number) => number) | null }[],
  rows: number,
  alive: Uint8Array | null,
): void {
  const mixers: Mixer[] = []
  /** Position of a row's mixer, from 1. */
  const place = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    if (alive === null || alive[row] !== 0) place[row] = mixers.push(new Mixer())
  }
  columns.forEach(({ values, name }, c) => {
    eachChunk(values, Math.min(values.length, rows), (from, count) => {
      for (let i = 0; i < count; i++) {
        const value = chunk[i] as number
        const at = place[from + i] as number
        if (value !== 0 && at !== 0) mixers[at - 1]?.mix(name === null ? value : name(value), c)
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
  world.eachModelTable((component, columns, live, rows, step) => {
    const alive = liveRows(live, rows)
    const named = columns.map(({ name, values }) => ({
      values,
      name: component.references.includes(name) ? nameOf : null,
    }))
    if (component.unorderedRows) return mixUnordered(all, named, rows, alive)
    named.forEach(({ values, name }, c) => {
      const count = Math.min(values.length, rows)
      mixOrdered(all, values, count, step, alive, name)
      all.mix(count, c)
    })
  }, isMeant)
  return (all.h1 >>> 0).toString(16).padStart(8, '0') + (all.h2 >>> 0).toString(16).padStart(8, '0')
}
