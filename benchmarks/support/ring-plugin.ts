/** A plugin of the engine that knows nothing of networks: stations in a circle that throw balls to the next one. */
import { Binder, defineComponent, EventHeap, EventRow, eventList, f64, i32, u32, World } from '@softnet/ecs'
import { type Partition, type PartitionTimes, reach } from '@softnet/engine'

/** Least time of a throw, ps: the lookahead between two stations. */
const LATENCY_PS = 1000
/** A station holds a ball for up to this long, ps. */
const HOLD_PS = 1024
/** Ids of stations are this far apart, so that two threads never write to one cache line. */
const APART = 64
const CATCH = 1

/** One row per station. */
const Station = defineComponent('station', {
  /** Changes with every ball that is caught, and decides how long it is held. */
  value: u32,
  /** Balls caught. */
  caught: f64,
  /** Balls put into its inbox and taken out, and both as they were published. */
  tail: i32,
  head: i32,
  tailSeen: i32,
  headSeen: i32,
  /** Earliest arrival among balls that are not published, ps. */
  leastPs: f64,
})

/** Places of all inboxes. */
const Inbox = defineComponent('inbox', { arrivesPs: f64, ball: i32 })

/** How many stations there are, and balls that `active` of them begin with. */
export interface RingShape {
  readonly stations: number
  /** The first of them form the circle; the others never have anything to do. Every other one of these is bounded, as wires are. */
  readonly active: number
  readonly balls: number
}

/** A ring that is built. */
export interface Ring {
  readonly partitions: Partition[]
  readonly arena: SharedArrayBuffer[]
  /** Balls caught so far. */
  events(): number
  /** Changes if anything happens in another order. */
  digest(): number
}

/** Builds a ring, or attaches to the arena of one of the same shape. */
export function createRing(shape: RingShape, arena?: readonly SharedArrayBuffer[]): Ring {
  const { stations, active, balls } = shape
  let slots = 1
  while (slots <= balls) slots *= 2
  const world = new World()
  const ids = Array.from({ length: stations }, () => world.spawn([Station, EventHeap], 1, APART))
  world.pool(EventRow, active * (balls + 2))
  world.pool(Inbox, active * slots)
  world.freeze(arena)
  const binder = new Binder(world)
  const events = binder.bind(eventList)
  const station = Int32Array.from(ids)
  const { value, caught, tail, head, tailSeen, headSeen, leastPs } = world.columns(Station)
  const { arrivesPs, ball } = world.columns(Inbox)
  const { base, capacity } = world.columns(EventHeap)
  const { timePs, a } = world.columns(EventRow)
  let times: PartitionTimes | null = null
  let next = new Float64Array(stations)
  let bound = new Float64Array(stations)
  let horizon = new Float64Array(stations)

  if (arena === undefined) {
    for (let p = 0; p < active; p++) {
      const id = station[p] as number
      base[id] = 1 + p * (balls + 2)
      capacity[id] = balls + 2
      leastPs[id] = Number.POSITIVE_INFINITY
    }
    for (let i = 0; i < balls; i++) {
      const id = station[i % active] as number
      events.push(id, id, 1 + ((i * 37) % LATENCY_PS), CATCH, i, 0, 0)
    }
  }

  function catchOne(p: number): void {
    const id = station[p] as number
    const to = p + 1 === active ? 0 : p + 1
    const other = station[to] as number
    const row = events.pop(id)
    const thrown = a[row] as number
    const mixed = (Math.imul(value[id] as number, 0x01000193) + thrown + 1) >>> 0
    value[id] = mixed
    caught[id] = (caught[id] as number) + 1
    const atPs = (timePs[row] as number) + LATENCY_PS + (mixed & (HOLD_PS - 1))
    const end = tail[other] as number
    const place = 1 + to * slots + (end & (slots - 1))
    arrivesPs[place] = atPs
    ball[place] = thrown
    tail[other] = (end + 1) | 0
    if (atPs < (leastPs[other] as number)) leastPs[other] = atPs
  }

  const write = (p: number): void => {
    next[p] = events.peekPs(station[p] as number)
    if (p >= active) bound[p] = Number.POSITIVE_INFINITY
  }

  function drain(p: number): void {
    const id = station[p] as number
    const end = tailSeen[id] as number
    let at = head[id] as number
    for (; at !== end; at = (at + 1) | 0) {
      const place = 1 + p * slots + (at & (slots - 1))
      events.due[0] = arrivesPs[place] as number
      events.pushAt(id, id, CATCH, ball[place] as number, 0, 0)
    }
    head[id] = at
    write(p)
  }

  function run(p: number): boolean {
    const id = station[p] as number
    let progress = head[id] !== tailSeen[id]
    if (progress) drain(p)
    while (events.peekPs(id) < (horizon[p] as number)) {
      catchOne(p)
      progress = true
    }
    write(p)
    return progress
  }

  function publish(p: number): void {
    if (p >= active) return
    const to = p + 1 === active ? 0 : p + 1
    const other = station[to] as number
    headSeen[station[p] as number] = head[station[p] as number] as number
    if (tailSeen[other] === tail[other]) return
    tailSeen[other] = tail[other] as number
    const atPs = leastPs[other] as number
    leastPs[other] = Number.POSITIVE_INFINITY
    if (times !== null) reach(times, to, atPs)
  }

  function attach(given: PartitionTimes): void {
    times = given
    next = given.next as Float64Array<ArrayBuffer>
    bound = given.bound as Float64Array<ArrayBuffer>
    horizon = given.horizon as Float64Array<ArrayBuffer>
  }

  class StationPartition implements Partition {
    readonly id: number
    readonly name: string
    readonly inputs: Partition['inputs']
    readonly bounded: boolean
    constructor(id: number) {
      this.id = id
      this.name = `station${id}`
      this.bounded = id >= active && id % 2 === 1
      const from = id === 0 ? active - 1 : id - 1
      this.inputs = id < active ? [{ from, latencyPs: LATENCY_PS }] : [{ from: 0, latencyPs: LATENCY_PS }]
    }
    attach = attach
    drain(): void {
      drain(this.id)
    }
    run(): boolean {
      return run(this.id)
    }
    publish(): void {
      publish(this.id)
    }
  }

  return {
    partitions: Array.from({ length: stations }, (_, id) => new StationPartition(id)),
    arena: world.arena(),
    events: () => ids.reduce((sum, id) => sum + (caught[id] as number), 0),
    digest: () => ids.slice(0, active).reduce((sum, id) => (Math.imul(sum, 31) + (value[id] as number)) >>> 0, 0),
  }
}
