import { createRunner, type StepOrder } from '@softnet/engine'
import {
  buildModel,
  type Model,
  type ModelPartition,
  modelPartitions,
  type Plugin,
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
export const atOnce: Advance = ordered(null)

/** Runs pieces of random length, in the runner's order or in another one. */
export function inPieces(seed: number, order: StepOrder | null = null): Advance {
  const draw = new Draw(seed, 2)
  return ordered(order, (durationPs) =>
    Array.from({ length: PIECES - 1 }, () => Math.floor(draw.share() * durationPs)).sort((a, b) => a - b),
  )
}

const PIECES = 8

/** Advances by the runner in an order, with cuts if there are any. */
export function ordered(order: StepOrder | null, cuts: (durationPs: number) => readonly number[] = () => []): Advance {
  return (partitions, durationPs) => {
    const runner = createRunner(partitions, order === null ? {} : { order })
    for (const cutPs of cuts(durationPs)) runner.runUntil(cutPs)
    runner.runUntil(durationPs)
  }
}

/** In rounds, as with several workers: everybody knows only what was published before the round. */
export const inRounds: Advance = (partitions, durationPs) =>
  createRunner(partitions, { inRounds: true }).runUntil(durationPs)

const asFarAsKnown = (_fromPs: number, horizonPs: number): number => horizonPs

/** Any partition that can go on, drawn anew each time. */
export function drawnOrder(seed: number): StepOrder {
  const draw = new Draw(seed, 3)
  return { choose: (_ready, count) => draw.below(count), reach: asFarAsKnown }
}

/** Always the partition that is furthest ahead of those that can go on: what it has seen of the others is as old as can be. */
export const furthestAhead: StepOrder = {
  choose(ready, count, nextPs) {
    let furthest = 0
    for (let i = 1; i < count; i++) {
      if ((nextPs[ready[i] as number] as number) > (nextPs[ready[furthest] as number] as number)) furthest = i
    }
    return furthest
  },
  reach: asFarAsKnown,
}

/**
 * In drawn order, and only to a drawn point below the horizon, every other time for one step: a worker thread knows less
 * of the others than is true.
 */
export function shortOfHorizon(seed: number): StepOrder {
  const draw = new Draw(seed, 4)
  return {
    choose: (_ready, count) => draw.below(count),
    reach: (fromPs, horizonPs) =>
      draw.chance(0.5) ? fromPs + 1 : fromPs + Math.ceil(draw.share() * (horizonPs - fromPs)),
  }
}

/** Builds the model of a plan and runs it to its end. */
export function runModel(
  plan: Plan,
  advance: Advance = atOnce,
  trace?: TraceSink,
  plugins: readonly Plugin[] = [],
  isInterleaved = true,
): FinishedRun {
  const hooks = { plugins, isInterleaved }
  return finishedRun(buildModel(plan, trace === undefined ? hooks : { ...hooks, trace }), advance)
}

function finishedRun(model: Model, advance: Advance): FinishedRun {
  const { durationPs } = model.plan
  const partitions = modelPartitions(model)
  advance(partitions, durationPs)
  for (const partition of partitions) partition.finish(durationPs)
  return { model, report: reportModel(model, durationPs) }
}

/**
 * Builds the model of a plan once, for runs of it that all begin in the first state: the columns are set back to what they
 * were, so whatever else a system kept of the run before would show as another end.
 */
export function repeatedly(plan: Plan): (advance?: Advance) => FinishedRun {
  const model = buildModel(plan)
  const columns = model.world.arena().map((buffer) => new Uint8Array(buffer))
  const first = columns.map((bytes) => bytes.slice())
  let isFirst = true
  return (advance = atOnce) => {
    if (!isFirst) columns.forEach((bytes, i) => void bytes.set(first[i] as Uint8Array))
    isFirst = false
    return finishedRun(model, advance)
  }
}

/** Name, row and values of the first cells of the model state that differ between two runs, at most eight. */
export function firstDifferences(one: Model, other: Model): string[] {
  const faults: string[] = []
  const there = new Map<string, ArrayLike<number>>()
  other.world.eachModelTable((component, columns) => {
    for (const { name, values } of columns) there.set(`${component.name}.${name}`, values)
  })
  one.world.eachModelTable((component, columns, _live, rows, step) => {
    // Which row of a pool holds what is an accident, so a row says nothing by its number.
    if (component.unorderedRows) return
    for (const { name, values } of columns) {
      if (component.references.includes(name) || component.undigested.includes(name)) continue
      const others = there.get(`${component.name}.${name}`) as ArrayLike<number>
      for (let row = 0, shown = 0; row < Math.min(rows, values.length) && shown < 2 && faults.length < 8; row += step) {
        if (values[row] === others[row]) continue
        faults.push(`${component.name}.${name}[${row}]: ${values[row]} and ${others[row]}`)
        shown++
      }
    }
  })
  return faults.length > 0 ? faults : ['packets in flight']
}
