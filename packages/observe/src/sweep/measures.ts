/** What a sweep reads out of each run's result. */
import type { ResultDocument } from '@softnet/scenario/plan'

/** Kind of quantity a measure is, which says how it is printed. */
export type MeasureKind = 'packet-rate' | 'event-rate' | 'time-ns' | 'share'

/** One number that a sweep takes from every result; its name ends in its unit. */
export interface Measure {
  readonly name: string
  /** Heading of its column. */
  readonly label: string
  readonly kind: MeasureKind
  /** What it is, in one sentence. */
  readonly description: string
  /** Which of two values one would rather have; null where neither is better by itself. */
  readonly better: 'more' | 'less' | null
  /** Its value; null where the run has none (no packet was delivered, so there is no latency). */
  readonly of: (result: ResultDocument) => number | null
}

const perSec = (count: number, result: ResultDocument): number | null =>
  result.simulated_ns > 0 ? (count * 1e9) / result.simulated_ns : null

function busiestCpuShare(result: ResultDocument): number | null {
  const shares = Object.values(result.hosts).flatMap((host) =>
    host.cpus.map(({ time_ns: { hardirq, softirq, ksoftirqd, task, idle } }) => {
      const busy = hardirq + softirq + ksoftirqd + task
      return busy + idle > 0 ? busy / (busy + idle) : 0
    }),
  )
  return shares.length === 0 ? null : shares.reduce((most, share) => Math.max(most, share), 0)
}

function busyNs(result: ResultDocument): number {
  const rows = Object.values(result.hosts).flatMap((host) => host.cpus.map(({ time_ns }) => time_ns))
  return rows.reduce((sum, { hardirq, softirq, ksoftirqd, task }) => sum + hardirq + softirq + ksoftirqd + task, 0)
}

/** Numbered interrupts are the devices'; the others (LOC, RES, CAL) are the CPUs' own. */
function deviceInterruptsPerSec(result: ResultDocument): number | null {
  const counts = Object.values(result.hosts).flatMap((host) =>
    Object.entries(host.interrupts).flatMap(([irq, perCpu]) => (/^\d+$/.test(irq) ? perCpu : [])),
  )
  return perSec(
    counts.reduce((sum, count) => sum + count, 0),
    result,
  )
}

/** Every measure, in the order of columns. */
export const MEASURES: readonly Measure[] = [
  {
    name: 'offered_pps',
    label: 'offered',
    kind: 'packet-rate',
    description: 'Wire frames offered per simulated second.',
    better: null,
    of: (result) => perSec(result.packets.offered, result),
  },
  {
    name: 'delivered_pps',
    label: 'delivered',
    kind: 'packet-rate',
    description: 'Wire frames delivered to programs per simulated second.',
    better: 'more',
    of: (result) => perSec(result.packets.delivered, result),
  },
  {
    name: 'drop_share',
    label: 'dropped',
    kind: 'share',
    description: 'Wire frames dropped, as a share of those offered.',
    better: 'less',
    of: ({ packets }) => (packets.offered > 0 ? packets.dropped / packets.offered : null),
  },
  {
    name: 'latency_mean_ns',
    label: 'mean',
    kind: 'time-ns',
    description: 'Mean latency of delivered packets, from the last bit at the port until recvmsg returns, ns.',
    better: 'less',
    of: (result) => result.latency_ns?.mean ?? null,
  },
  {
    name: 'latency_p50_ns',
    label: 'p50',
    kind: 'time-ns',
    description: 'Median of that latency, ns.',
    better: 'less',
    of: (result) => result.latency_ns?.p50 ?? null,
  },
  {
    name: 'latency_p99_ns',
    label: 'p99',
    kind: 'time-ns',
    description: 'Latency that 99 % of delivered packets do not exceed, ns.',
    better: 'less',
    of: (result) => result.latency_ns?.p99 ?? null,
  },
  {
    name: 'latency_p999_ns',
    label: 'p99.9',
    kind: 'time-ns',
    description: 'Latency that 99.9 % of delivered packets do not exceed, ns.',
    better: 'less',
    of: (result) => result.latency_ns?.p999 ?? null,
  },
  {
    name: 'busiest_cpu_share',
    label: 'busiest CPU',
    kind: 'share',
    description: 'Share of its time that the busiest CPU is not idle.',
    better: 'less',
    of: busiestCpuShare,
  },
  {
    name: 'cpu_per_packet_ns',
    label: 'CPU/packet',
    kind: 'time-ns',
    description: 'Time that all CPUs were not idle, per delivered packet, ns.',
    better: 'less',
    of: (result) => (result.packets.delivered > 0 ? busyNs(result) / result.packets.delivered : null),
  },
  {
    name: 'interrupts_per_sec',
    label: 'interrupts',
    kind: 'event-rate',
    description: 'Interrupts of network devices per simulated second.',
    better: null,
    of: deviceInterruptsPerSec,
  },
]

/** Measures that are shown where none is chosen. */
export const DEFAULT_MEASURES: readonly string[] = [
  'delivered_pps',
  'drop_share',
  'latency_p50_ns',
  'latency_p99_ns',
  'busiest_cpu_share',
]

/** Values of every measure by name. */
export type MeasureValues = Readonly<Record<string, number | null>>

/** Every measure of one result. */
export function measuresOf(result: ResultDocument): MeasureValues {
  return Object.fromEntries(MEASURES.map((measure) => [measure.name, measure.of(result)]))
}
