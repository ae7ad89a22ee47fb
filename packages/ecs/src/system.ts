import type { Columns, Component, ReadonlyColumns, Schema } from './component.js'
import type { World } from './world.js'

/** What a system sees while it is bound: columns (recording how it uses them) and the systems it calls. */
export interface BindContext {
  readonly world: World
  /** Columns for reading; a write does not compile. */
  read<S extends Schema>(component: Component<S>): ReadonlyColumns<S>
  /** Columns for reading and writing. */
  write<S extends Schema>(component: Component<S>): Columns<S>
  /** The bound form of another system, bound once per world. */
  system<F>(system: System<F>): F
  /** A constant of this world (the plan, a cost table), by its key. */
  resource<T>(resource: Resource<T>): T
  /** As `resource`, or the other value where nobody provided one. */
  resourceOr<T>(resource: Resource<T>, otherwise: T): T
}

/** A named piece of the machine: bound once per attachment, then run without allocating. */
export interface System<F> {
  readonly name: string
  /** Stage of the machine it belongs to, for `inspect` and traces. */
  readonly stage: string
  /** Kernel file and function it models. */
  readonly kernel: string
  readonly bind: (context: BindContext) => F
}

/** Key of a constant that systems look up when they are bound. */
export interface Resource<T> {
  readonly name: string
  /** Keeps the type; never set. */
  readonly type?: T
}

/** Defines a system: `bind` may look up and allocate, what it returns runs in the hot path and may not. */
export function defineSystem<F>(
  name: string,
  stage: string,
  kernel: string,
  bind: (context: BindContext) => F,
): System<F> {
  return { name, stage, kernel, bind }
}

/** Defines the key of a resource. */
export function defineResource<T>(name: string): Resource<T> {
  return { name }
}

/** Row of the access table: what one system reads and writes. */
export interface SystemAccess {
  readonly name: string
  readonly stage: string
  readonly kernel: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly calls: readonly string[]
}

/** Systems bound to one world. Binding the same code twice in one isolate makes it slow: use a fresh isolate per run. */
export class Binder {
  readonly world: World
  readonly #bound = new Map<System<unknown>, unknown>()
  readonly #binding = new Set<System<unknown>>()
  readonly #access: SystemAccess[] = []
  readonly #accessOf = new Map<System<unknown>, SystemAccess>()
  readonly #resources = new Map<Resource<unknown>, unknown>()

  constructor(world: World) {
    this.world = world
  }

  /** Sets a resource before anything that needs it is bound. */
  provide<T>(resource: Resource<T>, value: T): void {
    this.#resources.set(resource as Resource<unknown>, value)
  }

  /** Binds a system, or returns it as bound before. A cycle of binds is an error that names the ring. */
  bind<F>(system: System<F>): F {
    const key = system as System<unknown>
    if (this.#bound.has(key)) return this.#bound.get(key) as F
    if (this.#binding.has(key)) {
      throw new Error(`systems bind each other in a ring: ${[...this.#binding, key].map((s) => s.name).join(' → ')}`)
    }
    this.#binding.add(key)
    const reads = new Set<string>()
    const writes = new Set<string>()
    const calls = new Set<string>()
    const context: BindContext = {
      world: this.world,
      read: (component) => {
        reads.add(component.name)
        return this.world.columns(component) as never
      },
      write: (component) => {
        writes.add(component.name)
        return this.world.columns(component)
      },
      system: (other) => {
        calls.add(other.name)
        return this.bind(other)
      },
      resource: (resource) => this.resource(resource),
      resourceOr: (resource, otherwise) => this.resourceOr(resource, otherwise),
    }
    const run = system.bind(context)
    this.#binding.delete(key)
    this.#bound.set(key, run)
    const access: SystemAccess = {
      name: system.name,
      stage: system.stage,
      kernel: system.kernel,
      reads: [...reads].filter((name) => !writes.has(name)),
      writes: [...writes],
      calls: [...calls],
    }
    this.#access.push(access)
    this.#accessOf.set(key, access)
    return run
  }

  /** Value of a resource; an error names it when nobody provided it. */
  resource<T>(resource: Resource<T>): T {
    if (!this.#resources.has(resource as Resource<unknown>))
      throw new Error(`resource ${resource.name} is not provided`)
    return this.#resources.get(resource as Resource<unknown>) as T
  }

  /** Value of a resource, or the other value where nobody provided one. */
  resourceOr<T>(resource: Resource<T>, otherwise: T): T {
    return this.#resources.has(resource as Resource<unknown>) ? this.resource(resource) : otherwise
  }

  /** What each bound system reads, writes and calls, in order of binding. */
  access(): readonly SystemAccess[] {
    return this.#access
  }

  /** What one system reads, writes and calls; undefined before it is bound. */
  accessOf(system: System<unknown>): SystemAccess | undefined {
    return this.#accessOf.get(system)
  }
}
