/** Components of a queueing network: everything that changes is a column, so any thread can go on with it. */
import { defineComponent, EventHeap, EventRow, f64, i32, RandomStream, u32, World } from '@softnet/ecs'

/** A network: stations with servers, who comes from outside, who goes where. Times are in microseconds. */
export interface Network {
  readonly seed: number
  readonly stations: readonly {
    readonly name: string
    readonly servers: number
    readonly meanServiceUs: number
    /** Customers per microsecond who come from outside. */
    readonly arrivalsPerUs: number
    /** Share of customers who go to each station next; the rest leaves. */
    readonly next: readonly number[]
  }[]
  /** Walk from any station to any other. */
  readonly walkUs: number
}

/** A station: what it is, how it is now, and what it has seen. */
export const Station = defineComponent('station', {
  servers: u32,
  meanServiceUs: f64,
  meanGapUs: f64,
  /** Customers at the servers, and in front of them. */ busy: u32,
  waiting: u32,
  /** When one of the two last changed, and the integrals of both over time up to then. */ changedUs: f64,
  busyUs: f64,
  waitingUs: f64,
  arrived: f64,
})

/** Walks from one station to another: a ring that its sender fills and its receiver empties. Row: from × stations + to. */
export const Walk = defineComponent(
  'walk',
  {
    /** First row of its slots. */ base: i32,
    /** Customers sent; as far as the receiver knows of it; taken in; and as far as the sender knows of that. */ sent: u32,
    sentSeen: u32,
    taken: u32,
    takenSeen: u32,
  },
  { role: 'observer' },
)

/** Customers on their way: when they arrive, and their place among those who arrive then. */
export const Walker = defineComponent('walker', { atUs: f64, order: f64 }, { role: 'observer' })

/** Share of a station's customers who go to another: row from × stations + to. Constant in a run. */
export const Route = defineComponent('route', { share: f64 })

/** Slots of a ring of walks, and events a station may have pending. */
export const SLOTS = 256
const EVENTS = 4096

/** Kinds of events of a station. */
export const EVENT = { fromOutside: 1, fromStation: 2, served: 3 } as const

/** Builds the world of a network; with the arena of one that was built before it attaches to that. */
export function buildStations(network: Network, arena?: readonly SharedArrayBuffer[]): World {
  const n = network.stations.length
  const world = new World()
  world.spawn([Station, EventHeap, RandomStream], n)
  world.pool(EventRow, n * EVENTS)
  world.pool(Walk, n * n)
  world.pool(Walker, n * n * SLOTS)
  world.pool(Route, n * n)
  world.freeze(arena)
  return world
}

/** Writes the state at time 0. Entities begin at 1: station i of the network is entity i + 1. */
export function fillStations(network: Network, world: World): void {
  const station = world.columns(Station)
  const heap = world.columns(EventHeap)
  const n = network.stations.length
  network.stations.forEach(({ servers, meanServiceUs, arrivalsPerUs, next }, i) => {
    const id = i + 1
    station.servers[id] = servers
    station.meanServiceUs[id] = meanServiceUs
    station.meanGapUs[id] = arrivalsPerUs > 0 ? 1 / arrivalsPerUs : 0
    heap.base[id] = 1 + i * EVENTS
    heap.capacity[id] = EVENTS
    next.forEach((share, j) => {
      world.columns(Route).share[i * n + j] = share
      world.columns(Walk).base[i * n + j] = (i * n + j) * SLOTS
    })
  })
}
