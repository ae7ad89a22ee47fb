/** Whole runs on one and two worker threads: wall time per packet once code is compiled, and the ratio of each pair. */
import { simulate } from 'softnet'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import { median, spread } from './support/statistics.js'
import { textTable } from './support/text-table.js'

/** Share of the simulated time left out: threads start and compile their code in it. */
const WARM = 0.4

/** A scenario, and how long it is simulated at full length, ms. */
const SCENARIOS = [
  ['rss-4-queues', 4000],
  ['rss-scale-64', 250],
  ['rps-64-cpus', 60],
] as const

/** What a pair of runs measured. */
export interface WorkersPair {
  /** Wall nanoseconds per packet on one and on two workers. */
  readonly oneNs: number
  readonly twoNs: number
  readonly digests: readonly [string, string]
}

/** Pairs of one scenario. */
export interface WorkersRun {
  readonly scenario: string
  readonly pairs: readonly WorkersPair[]
}

async function measure(scenario: string, ms: number, workers: number): Promise<{ ns: number; digest: string }> {
  let from = { ms: 0, offered: 0 }
  let to = from
  const result = await simulate(scenario, {
    duration: `${ms}ms`,
    set: { warmup: '0s' },
    workers,
    onProgress({ simulatedPs, durationPs, elapsedMs, offered }) {
      to = { ms: elapsedMs, offered }
      if (simulatedPs <= durationPs * WARM) from = to
    },
  })
  const packets = Math.max(1, to.offered - from.offered)
  return { ns: ((to.ms - from.ms) * 1e6) / packets, digest: result.digest }
}

/** Runs each scenario on one and on two workers, the order turned round in every other round. */
export async function workers({ rounds, scale, most }: BenchmarkOptions): Promise<WorkersRun[]> {
  const runs: WorkersRun[] = []
  for (const [scenario, fullMs] of SCENARIOS.slice(0, most)) {
    const pairs: WorkersPair[] = []
    const ms = Math.max(0.2, fullMs * scale)
    for (let round = 0; round < rounds; round++) {
      const found = new Map<number, { ns: number; digest: string }>()
      for (const count of round % 2 === 0 ? [1, 2] : [2, 1]) found.set(count, await measure(scenario, ms, count))
      const [one, two] = [found.get(1), found.get(2)]
      if (one === undefined || two === undefined) throw new Error('a pair has two runs')
      pairs.push({ oneNs: one.ns, twoNs: two.ns, digests: [one.digest, two.digest] })
    }
    runs.push({ scenario, pairs })
  }
  return runs
}

function render(runs: readonly WorkersRun[]): string {
  const rows = runs.map(({ scenario, pairs }) => {
    const ratio = spread(pairs.map(({ oneNs, twoNs }) => oneNs / twoNs))
    return [
      scenario,
      median(pairs.map(({ oneNs }) => oneNs)).toFixed(0),
      median(pairs.map(({ twoNs }) => twoNs)).toFixed(0),
      ratio.median.toFixed(2),
      ratio.min.toFixed(2),
      ratio.max.toFixed(2),
    ]
  })
  return textTable([['', '1 worker, ns per packet', '2 workers', 'times as fast', 'least', 'greatest'], ...rows])
}

await runIfStarted(import.meta.url, workers, render)
