import {
  addComponent,
  addEntity,
  type World as BitWorld,
  createWorld as createBitWorld,
  hasComponent,
  query,
} from 'bitecs'
import { type AnyColumn, COLUMN_TYPES, type Columns, type Component, type Schema } from './component.js'
import { planTable } from './record-layout.js'

/** Rows of one component: how many, and which of them are live. */
interface Table {
  readonly component: Component
  rows: number
  columns: Columns<Schema> | null
  /** What `World.columns` gives: the columns themselves, or what watches them. */
  handedOut: Columns<Schema> | null
  /** Pools: column that is non-zero in live rows, or null when every row is live. */
  liveColumn: string | null
  readonly pool: boolean
  /** Rows from this one on are left out of the digest. */
  digestRows: number
  /** Only rows that are multiples of it are used; 0 before there are any. */
  step: number
  /** Buffers of the columns, each once, and what `arenaNames` calls them. */
  buffers: SharedArrayBuffer[]
  bufferNames: string[]
}

/** One line of `World.describe`. */
export interface TableDescription {
  readonly component: string
  readonly rows: number
  readonly columns: readonly string[]
  readonly bytes: number
  readonly pool: boolean
  readonly role: string
}

/** Puts something in the place of a column that is handed out, under `component.column`: for tests that see who touches what. */
export type ColumnWatch = (name: string, column: ArrayBufferView) => ArrayBufferView

/** Buffers from this size on get pages of their own from the allocator, all with the same offset in the page. */
const OWN_PAGES_BYTES = 65_536
const CACHE_LINE_BYTES = 64
const CACHE_LINES_PER_PAGE = 64
/** What glibc's allocator puts before memory that has pages of its own; behind it rows would straddle cache lines. */
const ALLOCATOR_BYTES = 16

/**
 * Where the first element of a buffer is. Large buffers begin on different cache lines of their pages: else the same row of
 * all of them falls into the same few sets of the cache, and a packet costs half as much again.
 */
function bufferOffset(bytes: number, index: number): number {
  if (bytes < OWN_PAGES_BYTES) return 0
  return (index % CACHE_LINES_PER_PAGE) * CACHE_LINE_BYTES + CACHE_LINE_BYTES - ALLOCATOR_BYTES
}

/** Zero-filled shared memory of fixed length, or the buffer given, which must be as long: growable ones are a hundred times slower to read. */
function sharedBuffer(bytes: number, index: number, given: SharedArrayBuffer | undefined): SharedArrayBuffer {
  if (given !== undefined && given.byteLength !== bytes) {
    throw new Error(`buffer ${index} of the arena has ${given.byteLength} bytes, the world needs ${bytes}`)
  }
  return given ?? new SharedArrayBuffer(bytes)
}

interface ColumnConstructor {
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): ArrayBufferView
  readonly BYTES_PER_ELEMENT: number
}

/** Largest number that divides both; of 0 and n it is n. */
function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

/**
 * A world: entities and components while it is built, shared columns once it is frozen.
 *
 * Entities describe structure and come from bitECS; their id indexes the columns (`column[eid]`), so 0 is never an
 * entity. Pools are ranges of rows for what comes and goes in a run (packets, sockets); their rows start at 1 too, so
 * 0 always means none. After `freeze` nothing is added, and columns are views of SharedArrayBuffers of fixed length.
 */
export class World {
  readonly #bit: BitWorld = createBitWorld()
  readonly #tables = new Map<Component, Table>()
  readonly #watch: ColumnWatch | null
  readonly #isInterleaved: boolean
  #frozen = false

  /** `isInterleaved` false: each column has a buffer of its own, whatever its rows. A run must be the same both ways. */
  constructor(watch: ColumnWatch | null = null, isInterleaved = true) {
    this.#watch = watch
    this.#isInterleaved = isInterleaved
  }

  /** True once the columns exist and the structure can no longer change. */
  get frozen(): boolean {
    return this.#frozen
  }

  /**
   * Adds `count` entities with the given components in one block of consecutive ids and returns the first id.
   * `alignRows` makes the first id a multiple of it, so that blocks of different partitions share no cache line.
   */
  spawn(components: readonly Component[], count: number, alignRows = 1): number {
    this.#assertOpen()
    let first = 0
    let eid = addEntity(this.#bit)
    while (eid % alignRows !== 0) eid = addEntity(this.#bit)
    for (let i = 0; i < count; i++) {
      if (i === 0) first = eid
      else eid = addEntity(this.#bit)
      if (eid !== first + i) throw new Error(`entity ids are not consecutive: expected ${first + i}, got ${eid}`)
      for (const component of components) {
        const table = this.#table(component, false)
        addComponent(this.#bit, eid, component)
        if (eid >= table.rows) table.rows = eid + 1
        table.step = commonDivisor(table.step, eid)
      }
    }
    return first
  }

  /**
   * Declares a pool of `rows` rows (ids 1 … rows) of a component; `liveColumn` names the column that is 0 in free rows.
   * Rows from `digestRows` on are bookkeeping and do not enter the digest.
   */
  pool(
    component: Component,
    rows: number,
    liveColumn: string | null = null,
    digestRows = Number.POSITIVE_INFINITY,
  ): void {
    this.#assertOpen()
    const table = this.#table(component, true)
    table.rows = Math.max(table.rows, rows + 1)
    table.liveColumn = liveColumn
    table.digestRows = digestRows
    table.step = 1
  }

  /**
   * Declares a pool in which only rows that are multiples of `step` are used, up to row `rows`: what would lie idle between
   * two of them is taken by its other columns, so the fields of a row share cache lines.
   */
  spacedPool(component: Component, rows: number, step: number): void {
    this.pool(component, rows)
    this.#table(component, true).step = step
  }

  /**
   * Ends building: allocates every column, zero-filled, or takes the buffers of a world that was built in the same way
   * (`arena` of that world), in this thread or another.
   */
  freeze(arena?: readonly SharedArrayBuffer[]): void {
    this.#assertOpen()
    this.#frozen = true
    let index = 0
    for (const table of this.#tables.values()) {
      const rows = Math.max(1, table.rows)
      const { buffers, places } = planTable(table.component.schema, rows, this.#isInterleaved ? table.step : 1)
      const offsets: number[] = []
      for (const plan of buffers) {
        const bytes = plan.elements * plan.elementBytes
        const offset = bufferOffset(bytes, index)
        offsets.push(offset)
        table.buffers.push(sharedBuffer(offset + bytes, index, arena?.[index]))
        table.bufferNames.push(`${table.component.name}.${plan.columns.join('+')}`)
        index++
      }
      const columns: Record<string, unknown> = {}
      for (const { name, type, buffer, firstElement } of places) {
        const Column = COLUMN_TYPES[type] as unknown as ColumnConstructor
        const start = (offsets[buffer] as number) + firstElement * Column.BYTES_PER_ELEMENT
        columns[name] = new Column(table.buffers[buffer] as SharedArrayBuffer, start, rows)
      }
      table.columns = columns as Columns<Schema>
      table.handedOut = this.#watched(table.component.name, table.columns)
    }
    if (arena !== undefined && arena.length !== index) {
      throw new Error(`the arena has ${arena.length} buffers, the world needs ${index}`)
    }
  }

  /** Buffers of all columns, in order of declaration: all state there is. Only after `freeze`. */
  arena(): SharedArrayBuffer[] {
    if (!this.#frozen) throw new Error('the world has no columns before it is frozen')
    return [...this.#tables.values()].flatMap(({ buffers }) => buffers)
  }

  /** Names of the buffers of `arena`, `component.column+column…`, in the same order. */
  arenaNames(): string[] {
    return [...this.#tables.values()].flatMap(({ bufferNames }) => bufferNames)
  }

  /** Columns of a component, writable; only after `freeze`. */
  columns<S extends Schema>(component: Component<S>): Columns<S> {
    const table = this.#tables.get(component as unknown as Component)
    if (table?.handedOut == null) throw new Error(`component ${component.name} has no columns: declare it, then freeze`)
    return table.handedOut as unknown as Columns<S>
  }

  /** True if the component was spawned or pooled in this world. */
  has(component: Component<Schema>): boolean {
    return this.#tables.has(component)
  }

  /** Ids of the entities that have all the components, ascending: never the order of history. Not for use inside a run. */
  query(components: readonly Component[]): number[] {
    return [...query(this.#bit, components as Component[])].sort((a, b) => a - b)
  }

  /** True if the entity has the component. */
  hasComponent(eid: number, component: Component): boolean {
    return hasComponent(this.#bit, eid, component)
  }

  /** Tables in order of declaration, for `inspect` and memory accounts. */
  describe(): TableDescription[] {
    return [...this.#tables.values()].map((table) => ({
      component: table.component.name,
      rows: table.rows,
      columns: Object.keys(table.component.schema),
      bytes: Object.values(table.component.schema).reduce(
        (sum, type) => sum + table.rows * COLUMN_TYPES[type].BYTES_PER_ELEMENT,
        0,
      ),
      pool: table.pool,
      role: table.component.role,
    }))
  }

  /**
   * Visits every column of every table, bookkeeping and observers too, for checks of a whole world. Where rows are spaced it is a
   * copy, with zeros in the rows between them.
   */
  eachColumn(visit: (name: string, column: ArrayLike<number>) => void): void {
    for (const { component, columns, step } of this.#tables.values()) {
      if (columns === null) continue
      for (const name of Object.keys(component.schema)) {
        const column = columns[name] as AnyColumn
        visit(
          `${component.name}.${name}`,
          step > 1 ? Array.from(column, (value, row) => (row % step === 0 ? value : 0)) : column,
        )
      }
    }
  }

  /**
   * Visits the tables of model state in order of declaration with their columns, live column, rows that count, and the
   * distance between rows that are used, for the digest; or those of the components for which `isMeant` is true.
   */
  eachModelTable(
    visit: (
      component: Component,
      columns: readonly { readonly name: string; readonly values: AnyColumn }[],
      live: AnyColumn | null,
      rows: number,
      step: number,
    ) => void,
    isMeant: (component: Component) => boolean = ({ role }) => role === 'model',
  ): void {
    for (const table of this.#tables.values()) {
      if (!isMeant(table.component) || table.columns === null) continue
      const { columns, component } = table
      const live = table.liveColumn === null ? null : (columns[table.liveColumn] as AnyColumn)
      const digested = Object.keys(component.schema)
        .filter((name) => !component.undigested.includes(name))
        .map((name) => ({ name, values: columns[name] as AnyColumn }))
      visit(component, digested, live, Math.min(table.rows, table.digestRows), Math.max(1, table.step))
    }
  }

  #watched(name: string, columns: Columns<Schema>): Columns<Schema> {
    const watch = this.#watch
    if (watch === null) return columns
    const entries = Object.entries(columns).map(([column, values]) => [column, watch(`${name}.${column}`, values)])
    return Object.fromEntries(entries) as Columns<Schema>
  }

  #table(component: Component, pool: boolean): Table {
    let table = this.#tables.get(component)
    if (table === undefined) {
      for (const other of this.#tables.keys()) {
        if (other.name === component.name) throw new Error(`two components are called ${component.name}`)
      }
      table = {
        component,
        rows: 0,
        columns: null,
        handedOut: null,
        liveColumn: null,
        pool,
        digestRows: Number.POSITIVE_INFINITY,
        step: 0,
        buffers: [],
        bufferNames: [],
      }
      this.#tables.set(component, table)
    }
    if (table.pool !== pool) throw new Error(`component ${component.name} is used both on entities and as a pool`)
    return table
  }

  #assertOpen(): void {
    if (this.#frozen) throw new Error('the world is frozen: structure is built before the run')
  }
}
