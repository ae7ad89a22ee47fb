/** What a hundred thousand flows and sockets cost against sixteen, read by the same sixteen tasks. */
import { type ComparedRun, compareRuns, extraNs, renderRuns } from './support/compared-runs.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'

/** Measures `flows-100k` as it is and with 16 flows and sockets: 1 million packets of warm-up, then 3 million. */
export function flows(options: BenchmarkOptions): Promise<ComparedRun[]> {
  const { scale } = options
  const request = {
    scenario: 'flows-100k',
    warmUs: Math.ceil(500_000 * scale),
    sliceUs: Math.ceil(30_000 * scale),
    slices: 50,
  }
  const few = { 'traffic.load.flows.count': 16, 'hosts.server.apps.sink.sockets.count': 16 }
  return compareRuns(
    [
      ['16 flows', { ...request, set: few }],
      ['100,000 flows', request],
    ],
    options,
  )
}

await runIfStarted(import.meta.url, flows, (runs) =>
  renderRuns(runs, 'extra ns', (index) => extraNs(runs, index).toFixed(0)),
)
