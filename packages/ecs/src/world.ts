import {
  addComponent,
  addEntity,
  type World as BitWorld,
  createWorld as createBitWorld,
  hasComponent,
  query,
} from 'bitecs'
import {
  type AnyColumn,
  COLUMN_TYPES,
  type Columns,
  type ColumnType,
  type Component,
  type Schema,
} from './component.js'

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

/** Columns from this size on get pages of their own from the allocator, all with the same offset in the page. */
const OWN_PAGES_BYTES = 65_536
const CACHE_LINE_BYTES = 64
const CACHE_LINES_PER_PAGE = 64

/**
 * A zero-filled column in shared memory of fixed length: growable buffers are a hundred times slower to read.
 *
 * Large columns begin on different cache lines of their pages. Else the same row of all of them falls into the same few
 * sets of the cache, and a packet costs half as much again.
 */
function sharedColumn(type: ColumnType, rows: number, index: number, given?: SharedArrayBuffer): ArrayBufferView {
  const Column = COLUMN_TYPES[type] as unknown as {
    new (buffer: SharedArrayBuffer, byteOffset: number, length: number): ArrayBufferView
    readonly BYTES_PER_ELEMENT: number
  }
  const bytes = rows * Column.BYTES_PER_ELEMENT
  const offset = bytes < OWN_PAGES_BYTES ? 0 : (index % CACHE_LINES_PER_PAGE) * CACHE_LINE_BYTES
  if (given !== undefined && given.byteLength !== offset + bytes) {
    throw new Error(`column ${index} of the arena has ${given.byteLength} bytes, the world needs ${offset + bytes}`)
  }
  return new Column(given ?? new SharedArrayBuffer(offset + bytes), offset, rows)
}

/**
 * A world: entities and components while it is built, shared columns once it is frozen.
 *
 * Entities describe structure and come from bitECS; their id indexes the columns (`column[eid]`), so 0 is never an
 * entity. Pools are ranges of rows for what comes and goes in a run (packets, sockets); their rows start at 1 too, so
 * 0 always means none. After `freeze` nothing is added, and each column is one SharedArrayBuffer of fixed length.
 */
export class World {
  readonly #bit: BitWorld = createBitWorld()
  readonly #tables = new Map<Component, Table>()
  readonly #watch: ColumnWatch | null
  #frozen = false

  constructor(watch: ColumnWatch | null = null) {
    this.#watch = watch
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
      const columns: Record<string, unknown> = {}
      for (const [name, type] of Object.entries(table.component.schema)) {
        columns[name] = sharedColumn(type, Math.max(1, table.rows), index, arena?.[index])
        index++
      }
      table.columns = columns as Columns<Schema>
      table.handedOut = this.#watched(table.component.name, table.columns)
    }
    if (arena !== undefined && arena.length !== index) {
      throw new Error(`the arena has ${arena.length} columns, the world needs ${index}`)
    }
  }

  /** Buffers of all columns, in order of declaration: all state there is. Only after `freeze`. */
  arena(): SharedArrayBuffer[] {
    const buffers: SharedArrayBuffer[] = []
    for (const { columns, component } of this.#tables.values()) {
      if (columns === null) throw new Error('the world has no columns before it is frozen')
      for (const name of Object.keys(component.schema)) buffers.push(columns[name]?.buffer as SharedArrayBuffer)
    }
    return buffers
  }

  /** Names of the buffers of `arena`, `component.column`, in the same order. */
  arenaNames(): string[] {
    return this.describe().flatMap(({ component, columns }) => columns.map((column) => `${component}.${column}`))
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

  /** Visits every column of every table, bookkeeping and observers too, for checks of a whole world. */
  eachColumn(visit: (name: string, column: ArrayLike<number>) => void): void {
    for (const { component, columns } of this.#tables.values()) {
      if (columns === null) continue
      for (const name of Object.keys(component.schema))
        visit(`${component.name}.${name}`, columns[name] as ArrayLike<number>)
    }
  }

  /**
   * Visits the tables of model state in order of declaration with their columns, live column and rows that count, for the
   * digest; or those of the components for which `isMeant` is true.
   */
  eachModelTable(
    visit: (
      component: Component,
      columns: readonly { readonly name: string; readonly values: AnyColumn }[],
      live: AnyColumn | null,
      rows: number,
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
      visit(component, digested, live, Math.min(table.rows, table.digestRows))
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
