/** Hosts with many CPUs whose packets cross between them: `wide-256` and `rps-64-cpus`. */
import { type ComparedRun, compareRuns, ratio, renderRuns } from './support/compared-runs.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'

/** Measures both against `rss-scale-64`, which keeps every packet on one CPU; about half a million packets each. */
export function wide(options: BenchmarkOptions): Promise<ComparedRun[]> {
  const { scale } = options
  const run = (scenario: string, mpps: number) =>
    [
      scenario,
      {
        scenario,
        warmUs: Math.ceil((256_000 * scale) / mpps),
        sliceUs: Math.ceil((25_600 * scale) / mpps),
        slices: 20,
      },
    ] as const
  return compareRuns([run('rss-scale-64', 64), run('rps-64-cpus', 16), run('wide-256', 32)], options)
}

await runIfStarted(import.meta.url, wide, (runs) => renderRuns(runs, 'ratio', (index) => ratio(runs, index).toFixed(2)))
