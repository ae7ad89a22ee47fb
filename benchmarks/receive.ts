/** The receive path at 4 Mpps on four queues and CPUs: speed, loss, allocation and memory. */
import { allocationOfRun, timeRuns } from './support/fresh-process.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import type { AllocationFigures, RunRequest, TimeFigures } from './support/request.js'
import { type Spread, spread } from './support/statistics.js'
import { textTable } from './support/text-table.js'

const SCENARIO = 'rss-4-queues'

/** What `receive` measures. */
export interface ReceiveResult {
  readonly time: readonly TimeFigures[]
  readonly allocation: AllocationFigures
}

/** Measures `rss-4-queues`: 1.2 million packets of warm-up, then 4 million timed, and 10 million for allocation. */
export async function receive({ rounds, scale }: BenchmarkOptions): Promise<ReceiveResult> {
  const request: RunRequest = {
    scenario: SCENARIO,
    warmUs: Math.ceil(300_000 * scale),
    sliceUs: Math.ceil(10_000 * scale),
    slices: 100,
  }
  const [time = []] = await timeRuns([request], { rounds })
  const allocation = await allocationOfRun({ ...request, slices: 250 })
  return { time, allocation }
}

function render({ time, allocation }: ReceiveResult): string {
  const of = (pick: (figures: TimeFigures) => number): Spread => spread(time.map(pick))
  const row = (name: string, { median, min, max }: Spread, digits: number): string[] => [
    name,
    median.toFixed(digits),
    min.toFixed(digits),
    max.toFixed(digits),
  ]
  const first = time[0] as TimeFigures
  const { offered, dropped } = first.packets
  const perPacket = (bytes: number): string => (bytes / allocation.packets.offered).toFixed(4)
  return [
    `${SCENARIO}: ${offered} packets offered after warm-up, ${time.length} fresh processes`,
    textTable([
      ['', 'median', 'min', 'max'],
      row(
        'million packets delivered per wall second',
        of((f) => f.packets.delivered / f.wallMs / 1e3),
        2,
      ),
      row(
        'million packets delivered per processor second',
        of((f) => f.packets.delivered / f.cpuMs / 1e3),
        2,
      ),
      row(
        'ns per packet, wall, median slice',
        of((f) => f.wallNsPerPacket),
        1,
      ),
      row(
        'ns per packet, processor, median slice',
        of((f) => f.cpuNsPerPacket),
        1,
      ),
      row(
        'ns per packet, wall, fastest slice',
        of((f) => f.fastestNsPerPacket),
        1,
      ),
      row(
        'resident memory at most, MB',
        of((f) => f.residentMaxBytes / 1e6),
        0,
      ),
      row(
        'model built in, ms',
        of((f) => f.buildMs),
        0,
      ),
    ]),
    `loss ${((100 * dropped) / offered).toFixed(3)} %, digest ${first.digest}`,
    `allocation over ${allocation.packets.offered} packets: ${perPacket(allocation.allocatedBytes)} bytes per packet, ` +
      `${perPacket(allocation.retainedBytes)} kept; ${allocation.collections} collections in between`,
  ].join('\n')
}

await runIfStarted(import.meta.url, receive, render)
