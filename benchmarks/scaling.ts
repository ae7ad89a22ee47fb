/** What a packet costs on 1, 4, 16 and 64 simulated CPUs with the same load on each. */
import { type ComparedRun, compareRuns, ratio, renderRuns } from './support/compared-runs.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'

/** Measures `rss:1`, `rss:4`, `rss:16` and `rss:64` over the same number of packets, 1.6 million of warm-up and 3.2 million. */
export function scaling(options: BenchmarkOptions): Promise<ComparedRun[]> {
  const { scale } = options
  const named = [1, 4, 16, 64].map((cpus) => {
    const request = {
      scenario: `rss:${cpus}`,
      warmUs: Math.ceil((1_600_000 * scale) / cpus),
      sliceUs: Math.ceil((64_000 * scale) / cpus),
      slices: 50,
    }
    return [`${cpus} CPUs`, request] as const
  })
  return compareRuns(named, options)
}

await runIfStarted(import.meta.url, scaling, (runs) =>
  renderRuns(runs, 'ratio', (index) => ratio(runs, index).toFixed(2)),
)
