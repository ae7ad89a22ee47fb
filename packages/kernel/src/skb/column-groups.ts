type NumberColumn = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array

/** Columns by their type: a loop over one list meets one kind of array, where V8 takes a store for what it is. */
export class ColumnGroups {
  readonly #f64: Float64Array[] = []
  readonly #i32: Int32Array[] = []
  readonly #u32: Uint32Array[] = []
  readonly #u16: Uint16Array[] = []
  readonly #u8: Uint8Array[] = []

  constructor(columns: readonly NumberColumn[]) {
    for (const column of columns) {
      if (column instanceof Float64Array) this.#f64.push(column)
      else if (column instanceof Int32Array) this.#i32.push(column)
      else if (column instanceof Uint32Array) this.#u32.push(column)
      else if (column instanceof Uint16Array) this.#u16.push(column)
      else this.#u8.push(column)
    }
  }

  /** Copies one row to another. */
  copy(to: number, from: number): void {
    for (let i = 0; i < this.#f64.length; i++) {
      const column = this.#f64[i] as Float64Array
      column[to] = column[from] as number
    }
    for (let i = 0; i < this.#i32.length; i++) {
      const column = this.#i32[i] as Int32Array
      column[to] = column[from] as number
    }
    for (let i = 0; i < this.#u32.length; i++) {
      const column = this.#u32[i] as Uint32Array
      column[to] = column[from] as number
    }
    for (let i = 0; i < this.#u16.length; i++) {
      const column = this.#u16[i] as Uint16Array
      column[to] = column[from] as number
    }
    for (let i = 0; i < this.#u8.length; i++) {
      const column = this.#u8[i] as Uint8Array
      column[to] = column[from] as number
    }
  }
}
