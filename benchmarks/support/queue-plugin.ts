/** A plugin of the engine: one server with a queue, Poisson arrivals and exponential service (M/M/1). */
import {
  Binder,
  defineComponent,
  EventHeap,
  EventRow,
  eventList,
  f64,
  i32,
  RandomStream,
  randomStreams,
  World,
} from '@softnet/ecs'
import type { Partition, PartitionTimes } from '@softnet/engine'

/** Mean time of service, ps. */
const SERVICE_PS = 1_000_000
/** Share of time in which the server works. */
const LOAD = 0.8
const ARRIVAL = 1
const DEPARTURE = 2

const Server = defineComponent('server', {
  /** Customers in the system, the one served included. */
  customers: i32,
  /** Events so far. */
  events: f64,
  /** Customers × time, ps, for the mean. */
  area: f64,
  lastPs: f64,
})

/** A queue that is built. */
export interface QueueModel {
  readonly partitions: Partition[]
  /** Arrivals and departures so far. */
  events(): number
  /** Mean number of customers up to now; 4 in the long run. */
  mean(): number
}

/** Builds the queue. */
export function createQueue(): QueueModel {
  const world = new World()
  const id = world.spawn([Server, EventHeap], 1)
  const stream = world.spawn([RandomStream], 2)
  world.pool(EventRow, 16)
  world.freeze()
  const binder = new Binder(world)
  const events = binder.bind(eventList)
  const random = binder.bind(randomStreams)
  const { customers, events: done, area, lastPs } = world.columns(Server)
  const { base, capacity } = world.columns(EventHeap)
  const { timePs, kind } = world.columns(EventRow)
  base[id] = 1
  capacity[id] = 16
  random.seed(stream, 1, id, 1)
  random.seed(stream + 1, 1, id, 2)
  let times: PartitionTimes | null = null

  function after(nowPs: number, meanPs: number, which: number, k: number): void {
    events.due[0] = nowPs + Math.ceil(random.exponential(stream + which) * meanPs)
    events.pushAt(id, id, k, 0, 0, 0)
  }

  function step(): void {
    const row = events.pop(id)
    const nowPs = timePs[row] as number
    const k = kind[row] as number
    const before = customers[id] as number
    area[id] = (area[id] as number) + before * (nowPs - (lastPs[id] as number))
    lastPs[id] = nowPs
    done[id] = (done[id] as number) + 1
    if (k === ARRIVAL) {
      customers[id] = before + 1
      if (before === 0) after(nowPs, SERVICE_PS, 1, DEPARTURE)
      after(nowPs, SERVICE_PS / LOAD, 0, ARRIVAL)
      return
    }
    customers[id] = before - 1
    if (before > 1) after(nowPs, SERVICE_PS, 1, DEPARTURE)
  }

  const write = (): void => {
    if (times !== null) times.next[0] = events.peekPs(id)
  }
  after(0, SERVICE_PS / LOAD, 0, ARRIVAL)
  const partition: Partition = {
    id: 0,
    name: 'queue',
    inputs: [],
    bounded: false,
    attach(given) {
      times = given
    },
    drain: write,
    run() {
      let progress = false
      const untilPs = times?.horizon[0] ?? 0
      while (events.peekPs(id) < untilPs) {
        step()
        progress = true
      }
      write()
      return progress
    },
    publish() {},
  }
  return {
    partitions: [partition],
    events: () => done[id] as number,
    mean: () => (area[id] as number) / (lastPs[id] as number),
  }
}
