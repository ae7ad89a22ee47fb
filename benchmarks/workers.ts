/**
 * Whole runs on one and on two worker threads: wall time per packet once code is compiled, and the ratio of each pair. Beside
 * them two runs at once that share nothing, with a thread each: more than they gain the machine does not give.
 */
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

/** What was measured in one round. */
export interface WorkersPair {
  /** Wall nanoseconds per packet on one and on two workers. */
  readonly oneNs: number
  readonly twoNs: number
  /** The same of two runs at once with one worker each, per packet of both. */
  readonly besideNs: number
  readonly digests: readonly [string, string]
}

/** Rounds of one scenario. */
export interface WorkersRun {
  readonly scenario: string
  readonly pairs: readonly WorkersPair[]
}

interface Measured {
  readonly ns: number
  readonly digest: string
}

async function measure(scenario: string, ms: number, workers: number): Promise<Measured> {
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

async function sideBySide(scenario: string, ms: number): Promise<Measured> {
  const [one, other] = await Promise.all([measure(scenario, ms, 1), measure(scenario, ms, 1)])
  return { ns: 1 / (1 / one.ns + 1 / other.ns), digest: one.digest }
}

/** Runs each scenario on one worker, on two, and twice at once, the order turned round in every other round. */
export async function workers({ rounds, scale, most }: BenchmarkOptions): Promise<WorkersRun[]> {
  const runs: WorkersRun[] = []
  for (const [scenario, fullMs] of SCENARIOS.slice(0, most)) {
    const pairs: WorkersPair[] = []
    const ms = Math.max(0.2, fullMs * scale)
    const kinds = [
      ['one', () => measure(scenario, ms, 1)],
      ['two', () => measure(scenario, ms, 2)],
      ['beside', () => sideBySide(scenario, ms)],
    ] as const
    for (let round = 0; round < rounds; round++) {
      const found = new Map<string, Measured>()
      for (const [kind, run] of round % 2 === 0 ? kinds : kinds.toReversed()) found.set(kind, await run())
      const [one, two, beside] = kinds.map(([kind]) => found.get(kind) as Measured)
      if (one === undefined || two === undefined || beside === undefined) throw new Error('a round has three kinds')
      pairs.push({ oneNs: one.ns, twoNs: two.ns, besideNs: beside.ns, digests: [one.digest, two.digest] })
    }
    runs.push({ scenario, pairs })
  }
  return runs
}

const TITLE = ['', '1 worker, ns per packet', '2 workers', 'times as fast', 'least', 'greatest', 'two runs at once']

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
      median(pairs.map(({ oneNs, besideNs }) => oneNs / besideNs)).toFixed(2),
    ]
  })
  return textTable([TITLE, ...rows])
}

await runIfStarted(import.meta.url, workers, render)
