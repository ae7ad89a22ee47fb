/** A system in a stage, as far as its order goes. */
export interface OrderedSystem {
  /** Its name; no two systems that are ordered together share one. */
  readonly name: string
  /** Who brought it: systems of one owner run in the order in which the owner lists them. */
  readonly owner: string
  readonly stage: string
  /** Systems or owners it runs before, and after; names that are not there say nothing. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Names of the components it reads, and writes. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** Systems that have no order, or only one that contradicts itself. */
export class OrderError extends Error {
  /** The systems it is about, as `owner/name`. */
  readonly systems: readonly string[]

  constructor(message: string, systems: readonly string[]) {
    super(message)
    this.name = 'OrderError'
    this.systems = systems
  }
}

const fullName = ({ owner, name }: OrderedSystem): string => `${owner}/${name}`

/** Components of which one system writes what the other reads or writes. */
function clashes(a: OrderedSystem, b: OrderedSystem): string[] {
  const touchedByA = new Set([...a.reads, ...a.writes])
  const touchedByB = new Set([...b.reads, ...b.writes])
  const shared = [
    ...a.writes.filter((name) => touchedByB.has(name)),
    ...b.writes.filter((name) => touchedByA.has(name)),
  ]
  return [...new Set(shared)].sort()
}

function verbs(system: OrderedSystem, components: readonly string[]): string {
  const writes = components.filter((name) => system.writes.includes(name))
  const reads = components.filter((name) => !writes.includes(name))
  const said = [
    writes.length > 0 ? `writes ${writes.join(', ')}` : '',
    reads.length > 0 ? `reads ${reads.join(', ')}` : '',
  ]
  return said.filter((text) => text !== '').join(' and ')
}

/** Edges `from → to` of what was said: row of the systems that run later, by position. */
function successors(systems: readonly OrderedSystem[]): Set<number>[] {
  const later = systems.map(() => new Set<number>())
  const isMeant = (said: readonly string[], { name, owner }: OrderedSystem): boolean =>
    said.includes(name) || said.includes(owner)
  systems.forEach((a, i) => {
    systems.forEach((b, j) => {
      if (i === j) return
      if (a.owner === b.owner) {
        // An owner's own list decides, unless it says otherwise itself.
        const isTurned = a.after.includes(b.name) || b.before.includes(a.name)
        if ((i < j && !isTurned) || a.before.includes(b.name) || b.after.includes(a.name)) later[i]?.add(j)
        return
      }
      if (isMeant(a.before, b) || isMeant(b.after, a)) later[i]?.add(j)
    })
  })
  return later
}

/** Positions that come later than each one, directly or not. */
function closure(later: readonly ReadonlySet<number>[]): Set<number>[] {
  return later.map((direct) => {
    const all = new Set<number>()
    const waiting = [...direct]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (all.has(next)) continue
      all.add(next)
      waiting.push(...(later[next] ?? []))
    }
    return all
  })
}

function refuseRing(systems: readonly OrderedSystem[], reach: readonly ReadonlySet<number>[]): void {
  const ring = systems.filter((_, i) => reach[i]?.has(i))
  if (ring.length === 0) return
  const names = ring.map(fullName)
  throw new OrderError(
    `systems of stage ${ring[0]?.stage} are each to run before the others: ${names.join(', ')}`,
    names,
  )
}

function refuseAmbiguity(systems: readonly OrderedSystem[], reach: readonly ReadonlySet<number>[]): void {
  systems.forEach((a, i) => {
    for (let j = i + 1; j < systems.length; j++) {
      const b = systems[j] as OrderedSystem
      if (a.owner === b.owner || reach[i]?.has(j) || reach[j]?.has(i)) continue
      const components = clashes(a, b)
      if (components.length === 0) continue
      const both = `${fullName(a)} ${verbs(a, components)}, ${fullName(b)} ${verbs(b, components)}`
      throw new OrderError(`two systems of stage ${a.stage} have no order: ${both}`, [fullName(a), fullName(b)])
    }
  })
}

/**
 * Order of the systems of one stage: what `before` and `after` say, the order of its list within an owner, and the order
 * given where nothing says anything. Throws an {@link OrderError} that shows the systems if what was said contradicts
 * itself, or if of two systems of different owners one writes what the other touches and nothing says which is first.
 */
export function orderSystems<S extends OrderedSystem>(systems: readonly S[]): S[] {
  const later = successors(systems)
  const reach = closure(later)
  refuseRing(systems, reach)
  refuseAmbiguity(systems, reach)
  const left = new Set(systems.keys())
  const ordered: S[] = []
  while (left.size > 0) {
    for (const at of left) {
      if ([...left].some((other) => later[other]?.has(at))) continue
      ordered.push(systems[at] as S)
      left.delete(at)
      break
    }
  }
  return ordered
}
