/** A queueing network on one thread or several: each station is a partition of the engine. */
import { Binder, digestWorld, randomStreams, type World } from '@softnet/ecs'
import {
  createRunner,
  type IsolateContext,
  type Partition,
  type PartitionTimes,
  type RunnerBuffers,
  reach,
  runInIsolate,
} from '@softnet/engine'
import { type RunStation, runStation } from './run-station.js'
import { buildStations, fillStations, type Network, SLOTS, Station, Walk, Walker } from './stations.js'

/** What is simulated, for how long, on how many threads. */
export interface NetworkRun {
  readonly network: Network
  readonly untilUs: number
  readonly workers: number
}

/** What a station has seen, over time. */
export interface StationResult {
  readonly name: string
  readonly arrivalsPerUs: number
  /** Busy servers and waiting customers, means over time. */
  readonly busy: number
  readonly waiting: number
}

/** The end of a run. */
export interface NetworkResult {
  readonly digest: string
  readonly stations: readonly StationResult[]
}

/** The stations as partitions: what one sends another takes effect a walk later, and that is how far ahead each may go. */
function partitionsOf(network: Network, world: World, station: RunStation): Partition[] {
  const n = network.stations.length
  const { sent, sentSeen, taken, takenSeen, base } = world.columns(Walk)
  const { atUs } = world.columns(Walker)
  let times: PartitionTimes | null = null

  return network.stations.map(({ name }, p) => {
    const id = p + 1
    const others = [...network.stations.keys()]
    const write = () => {
      if (times !== null) times.next[p] = station.nextUs(id)
    }
    return {
      id: p,
      name,
      inputs: others.filter((from) => from !== p).map((from) => ({ from, latencyPs: network.walkUs })),
      bounded: false,
      attach(given) {
        times = given
      },
      drain() {
        station.takeIn(id)
        write()
      },
      run() {
        const progress = station.run(id, times?.horizon[p] ?? 0)
        write()
        return progress
      },
      publish() {
        for (const to of others) {
          const out = p * n + to
          if (sentSeen[out] !== sent[out] && times !== null) {
            reach(times, to, atUs[base[out] + (sentSeen[out] % SLOTS)])
            sentSeen[out] = sent[out]
          }
          const back = to * n + p
          takenSeen[back] = taken[back]
        }
      },
    }
  })
}

/** What the leading thread runs. */
export function lead({ network, untilUs, workers }: NetworkRun, context: IsolateContext): NetworkResult {
  const world = buildStations(network)
  fillStations(network, world)
  const binder = new Binder(world)
  const random = binder.bind(randomStreams)
  const station = binder.bind(runStation(network.stations.length, network.walkUs))
  const partitions = partitionsOf(network, world, station)
  network.stations.forEach((_, i) => {
    random.seed(i + 1, network.seed, i + 1, 0)
    station.begin(i + 1)
  })
  const runner = createRunner(partitions)
  if (workers > 1) {
    const payload = { network, arena: world.arena(), buffers: runner.buffers }
    const names = partitions.map(({ name }) => name)
    context.recruit({ exportName: 'help', count: workers - 1, payload, buffers: runner.buffers, partitions: names })
    runner.awaitWorkers(workers)
  }
  runner.runUntil(untilUs)
  runner.release()
  const { busyUs, waitingUs, arrived } = world.columns(Station)
  const stations = network.stations.map(({ name }, i) => {
    station.account(i + 1, untilUs)
    return {
      name,
      arrivalsPerUs: arrived[i + 1] / untilUs,
      busy: busyUs[i + 1] / untilUs,
      waiting: waitingUs[i + 1] / untilUs,
    }
  })
  return { digest: digestWorld(world), stations }
}

/** What every other thread runs: it builds the same world over the columns of the leading one. */
export function help(
  { network, arena, buffers }: { network: Network; arena: readonly SharedArrayBuffer[]; buffers: RunnerBuffers },
  context: IsolateContext,
): void {
  const world = buildStations(network, arena)
  const station = new Binder(world).bind(runStation(network.stations.length, network.walkUs))
  const partitions = partitionsOf(network, world, station)
  createRunner(partitions, { buffers, worker: context.worker }).serve()
}

/** Runs a network in threads of its own. */
export function runNetwork(run: NetworkRun): Promise<NetworkResult> {
  return runInIsolate<NetworkResult>({ moduleUrl: import.meta.url, exportName: 'lead', payload: run })
}
