import { timeRuns } from './fresh-process.js'
import type { BenchmarkOptions } from './options.js'
import type { RunRequest, TimeFigures } from './request.js'
import { median } from './statistics.js'
import { textTable } from './text-table.js'

/** A run among others, and what it measured in each round. */
export interface ComparedRun {
  readonly name: string
  readonly time: readonly TimeFigures[]
}

/** Times named runs in turn. */
export async function compareRuns(
  all: readonly (readonly [string, RunRequest])[],
  options: BenchmarkOptions,
): Promise<ComparedRun[]> {
  const named = all.slice(0, options.most)
  const figures = await timeRuns(
    named.map(([, request]) => request),
    options,
  )
  return named.map(([name], i) => ({ name, time: figures[i] as TimeFigures[] }))
}

/** Nanoseconds of processor time per packet beyond the first run, median over the rounds of each round's difference. */
export function extraNs(runs: readonly ComparedRun[], index: number): number {
  const [first, run] = [runs[0] as ComparedRun, runs[index] as ComparedRun]
  return median(run.time.map((f, round) => f.cpuNsPerPacket - (first.time[round]?.cpuNsPerPacket ?? Number.NaN)))
}

/** Processor time per packet as a multiple of the first run's, median over the rounds of each round's ratio. */
export function ratio(runs: readonly ComparedRun[], index: number): number {
  const [first, run] = [runs[0] as ComparedRun, runs[index] as ComparedRun]
  return median(run.time.map((f, round) => f.cpuNsPerPacket / (first.time[round]?.cpuNsPerPacket ?? Number.NaN)))
}

/** One line per run: packets, speed, memory and digest; `last` adds a column. */
export function renderRuns(runs: readonly ComparedRun[], lastTitle: string, last: (index: number) => string): string {
  const title = ['', 'packets', 'loss %', 'CPU ns', 'least', 'greatest', 'wall ns', 'steps/1000', 'MB', 'digest']
  const rows = runs.map(({ name, time }, index) => {
    const cpu = time.map((f) => f.cpuNsPerPacket)
    const { packets, steps, digest } = time[0] as TimeFigures
    return [
      name,
      `${packets.offered}`,
      ((100 * packets.dropped) / packets.offered).toFixed(2),
      median(cpu).toFixed(0),
      Math.min(...cpu).toFixed(0),
      Math.max(...cpu).toFixed(0),
      median(time.map((f) => f.wallNsPerPacket)).toFixed(0),
      ((1000 * steps) / packets.offered).toFixed(1),
      (median(time.map((f) => f.residentMaxBytes)) / 1e6).toFixed(0),
      digest,
      last(index),
    ]
  })
  return textTable([[...title, lastTitle], ...rows])
}
