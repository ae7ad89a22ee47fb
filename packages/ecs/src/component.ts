/** Column types of a component: the typed array that backs one field. */
export const COLUMN_TYPES = {
  f64: Float64Array,
  f32: Float32Array,
  u32: Uint32Array,
  i32: Int32Array,
  u16: Uint16Array,
  i16: Int16Array,
  u8: Uint8Array,
  i8: Int8Array,
} as const

/** Name of a column type. */
export type ColumnType = keyof typeof COLUMN_TYPES

interface ColumnArrays {
  f64: Float64Array
  f32: Float32Array
  u32: Uint32Array
  i32: Int32Array
  u16: Uint16Array
  i16: Int16Array
  u8: Uint8Array
  i8: Int8Array
}

/** A column of any type. */
export type AnyColumn = ColumnArrays[ColumnType]

/** Read-only view of a typed array: indexing reads, nothing writes. */
export interface ReadonlyColumn {
  readonly [index: number]: number
  readonly length: number
}

export const f64 = 'f64'
export const f32 = 'f32'
export const u32 = 'u32'
export const i32 = 'i32'
export const u16 = 'u16'
export const i16 = 'i16'
export const u8 = 'u8'
export const i8 = 'i8'

/** Field names and the type of each field's column. */
export type Schema = Readonly<Record<string, ColumnType>>

/** Columns of a schema, writable. */
export type Columns<S extends Schema> = { readonly [K in keyof S]: ColumnArrays[S[K]] }

/** Columns of a schema, for reading only: assigning to an element does not compile. */
export type ReadonlyColumns<S extends Schema> = { readonly [K in keyof S]: ReadonlyColumn }

/**
 * How a component's columns enter the digest. `model`: all of it; `probe`: only a digest of its own, since what was measured
 * says nothing of the model; `observer`: left out.
 */
export type ComponentRole = 'model' | 'probe' | 'observer'

/** How a component enters the digest. */
export interface ComponentOptions {
  /** `probe`: what a plugin measured; `observer`: capture, trace, bookkeeping of the engine. */
  readonly role?: ComponentRole
  /** Pools: which row holds what is an accident, so rows are added up whatever their order. */
  readonly unorderedRows?: boolean
  /** Columns that hold rows of an unordered pool: the digest takes the name of what lies there. */
  readonly references?: readonly string[]
  /** Columns that keep what an earlier user of the row left in them, or bookkeeping; left out. */
  readonly undigested?: readonly string[]
}

/** Stateless definition of a component; its columns live in a world. */
export interface Component<S extends Schema = Schema> {
  readonly name: string
  readonly schema: S
  readonly role: ComponentRole
  readonly unorderedRows: boolean
  readonly references: readonly string[]
  readonly undigested: readonly string[]
}

/**
 * Defines a component: a name and the type of each column. Put unit, range and writer in a doc comment on each field.
 * The options say how it enters the digest.
 */
export function defineComponent<const S extends Schema>(
  name: string,
  schema: S,
  options: ComponentOptions = {},
): Component<S> {
  return {
    name,
    schema,
    role: options.role ?? 'model',
    unorderedRows: options.unorderedRows ?? false,
    references: options.references ?? [],
    undigested: options.undigested ?? [],
  }
}
