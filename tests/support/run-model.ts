import { attachRunnerColumns, createRunner, createRunnerBuffers } from '@softnet/engine'
import {
  buildModel,
  type Model,
  type ModelPartition,
  modelPartitions,
  reportModel,
  type TraceSink,
} from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import { Draw } from './draw.js'

/** The result document as far as the model knows it. */
export type Report = ReturnType<typeof reportModel>

/** A model that has been run to its end. */
export interface FinishedRun {
  readonly model: Model
  readonly report: Report
}

/** How a run is advanced: at once, cut into pieces, or partition by partition in an order drawn from a seed. */
export type Advance = (partitions: readonly ModelPartition[], durationPs: number) => void

/** Runs the whole duration with one call. */
export const atOnce: Advance = (partitions, durationPs) => createRunner(partitions).runUntil(durationPs)

/** Runs pieces of random length. */
export function inPieces(seed: number, pieces = 7): Advance {
  return (partitions, durationPs) => {
    const draw = new Draw(seed, 2)
    const cuts = Array.from({ length: pieces }, () => Math.floor(draw.share() * durationPs)).sort((a, b) => a - b)
    const runner = createRunner(partitions)
    for (const cut of cuts) runner.runUntil(cut)
    runner.runUntil(durationPs)
  }
}

/**
 * Advances one partition at a time, any that can go on, and often less far than it could: every order and every cut that
 * the latencies allow must end in the same state.
 */
export function inAnyOrder(seed: number): Advance {
  return (partitions, durationPs) => {
    const draw = new Draw(seed, 3)
    const times = attachRunnerColumns(createRunnerBuffers(partitions.length))
    const { next, bound, horizon } = times
    for (const partition of partitions) partition.attach(times)
    // A wire that finds no room learns when there may be some, so that a second look can get on.
    for (let idleRounds = 0; ; ) {
      for (const partition of partitions) partition.drain()
      const waiting = partitions.filter((_, p) => (next[p] as number) < durationPs)
      if (waiting.length === 0) {
        if (!lastTurns(partitions, horizon, durationPs)) return
        continue
      }
      const arrivals = earliestArrivals(partitions, next)
      let progress = false
      while (!progress && waiting.length > 0) {
        const [partition] = waiting.splice(draw.below(waiting.length), 1) as [ModelPartition]
        const known = Math.min(durationPs, horizonOf(partition, partitions, next, bound, arrivals))
        const now = next[partition.id] as number
        const short = draw.chance(0.3) && known > now
        horizon[partition.id] = short ? now + Math.ceil(draw.share() * (known - now)) : known
        progress = partition.run()
        partition.publish()
      }
      idleRounds = progress ? 0 : idleRounds + 1
      if (idleRounds > 2) throw new Error(`no partition can go on before ${durationPs} ps: next ${[...next]}`)
    }
  }
}

/** Work due before the end may be left where a clock is beyond it, or where there was no room; true if any was done. */
function lastTurns(partitions: readonly ModelPartition[], horizon: Float64Array, durationPs: number): boolean {
  let progress = false
  for (const partition of partitions) {
    horizon[partition.id] = durationPs
    if (partition.run()) progress = true
    partition.publish()
  }
  return progress
}

/** Earliest time at which anything new can reach each partition, if what is known is followed to the end. */
function earliestArrivals(partitions: readonly ModelPartition[], next: Float64Array): number[] {
  const arrivals = partitions.map(() => Number.POSITIVE_INFINITY)
  for (let changed = true; changed; ) {
    changed = false
    for (const { id, inputs } of partitions) {
      for (const { from, latencyPs } of inputs) {
        const acts = Math.min(next[from] as number, arrivals[from] as number) + latencyPs
        if (acts < (arrivals[id] as number)) {
          arrivals[id] = acts
          changed = true
        }
      }
    }
  }
  return arrivals
}

function horizonOf(
  { inputs }: ModelPartition,
  partitions: readonly ModelPartition[],
  next: Float64Array,
  bound: Float64Array,
  arrivals: readonly number[],
): number {
  let least = Number.POSITIVE_INFINITY
  for (const { from, latencyPs } of inputs) {
    const bounded = (partitions[from] as ModelPartition).bounded
    const own = bounded ? (bound[from] as number) : (next[from] as number) + latencyPs
    least = Math.min(least, own, (arrivals[from] as number) + latencyPs)
  }
  return least
}

/** Builds the model of a plan and runs it to its end. */
export function runModel(plan: Plan, advance: Advance = atOnce, trace?: TraceSink): FinishedRun {
  const model = buildModel(plan, trace === undefined ? {} : { trace })
  const partitions = modelPartitions(model)
  advance(partitions, plan.durationPs)
  for (const partition of partitions) partition.finish(plan.durationPs)
  return { model, report: reportModel(model, plan.durationPs) }
}

/** Name, row and values of the first cells of the model state that differ between two runs, at most eight. */
export function firstDifferences(one: Model, other: Model): string[] {
  const faults: string[] = []
  const there = new Map<string, ArrayLike<number>>()
  other.world.eachModelTable((component, columns) => {
    for (const { name, values } of columns) there.set(`${component.name}.${name}`, values)
  })
  one.world.eachModelTable((component, columns, _live, rows) => {
    // Which row of a pool holds what is an accident, so a row says nothing by its number.
    if (component.unorderedRows) return
    for (const { name, values } of columns) {
      if (component.references.includes(name) || component.undigested.includes(name)) continue
      const others = there.get(`${component.name}.${name}`) as ArrayLike<number>
      for (let row = 0, shown = 0; row < Math.min(rows, values.length) && shown < 2 && faults.length < 8; row++) {
        if (values[row] === others[row]) continue
        faults.push(`${component.name}.${name}[${row}]: ${values[row]} and ${others[row]}`)
        shown++
      }
    }
  })
  return faults.length > 0 ? faults : ['packets in flight']
}
