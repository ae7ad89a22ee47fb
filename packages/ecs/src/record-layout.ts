import { COLUMN_TYPES, type ColumnType, type Schema } from './component.js'

/** Where a column lies: which buffer of its table, and at which element of it its row 0 is. */
export interface ColumnPlace {
  readonly name: string
  readonly type: ColumnType
  readonly buffer: number
  readonly firstElement: number
}

/** A buffer of a table: the columns in it, by name, and how many elements of how many bytes it has. */
export interface BufferPlan {
  readonly columns: readonly string[]
  readonly elements: number
  readonly elementBytes: number
}

/** How the columns of one table lie in memory. */
export interface TablePlan {
  readonly places: readonly ColumnPlace[]
  readonly buffers: readonly BufferPlan[]
}

/**
 * Lays out a table of `rows` rows of which only multiples of `step` are ever used. Columns of equal width are interleaved in what
 * would lie idle between two rows, so that the fields of one row share its cache lines; with step 1 each column has a
 * buffer of its own.
 */
export function planTable(schema: Schema, rows: number, step: number): TablePlan {
  const places: ColumnPlace[] = []
  const buffers: { columns: string[]; elements: number; elementBytes: number }[] = []
  /** By width: the buffer that still has room. */
  const open = new Map<number, number>()
  const roomy = Math.max(1, step)
  for (const [name, type] of Object.entries(schema)) {
    const elementBytes = COLUMN_TYPES[type].BYTES_PER_ELEMENT
    let buffer = open.get(elementBytes)
    if (buffer === undefined || buffers[buffer]?.columns.length === roomy) {
      buffer = buffers.length
      open.set(elementBytes, buffer)
      buffers.push({ columns: [], elements: 0, elementBytes })
    }
    const plan = buffers[buffer] as (typeof buffers)[number]
    places.push({ name, type, buffer, firstElement: plan.columns.length })
    plan.columns.push(name)
    plan.elements = rows + plan.columns.length - 1
  }
  return { places, buffers }
}
