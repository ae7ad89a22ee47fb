/** The host's `/proc/net/softnet_stat` beside that of its simulation, per CPU and million packets. */
import { formatCount, formatFrequency, formatPercent, formatTime, tableLines } from '@softnet/observe'
import type { ResultDocument } from '@softnet/scenario'
import type { HostFacts } from './host-facts.js'
import type { SoftnetStatRow } from './parse-counters.js'
import { HOST } from './scenario-draft.js'

/** A window with fewer packets says nothing; counts since boot are taken instead. */
const WINDOW_PACKETS_MIN = 1000
const U32 = 4_294_967_296
/** Shares of packets that differ by more than this are told. */
const SHARE_DIFFERENCE = 0.1

/** Counts of one CPU that are compared. */
export interface ComparedCounts {
  readonly processed: number
  readonly dropped: number
  readonly time_squeeze: number
  readonly received_rps: number
  readonly flow_limit_count: number
}

/** One CPU of the host and the same CPU of the simulation. */
export interface ComparedCpu {
  readonly cpu: number
  readonly host: ComparedCounts
  readonly simulated: ComparedCounts
}

/** `softnet_stat` of both, and over how long. */
export interface SoftnetComparison {
  readonly host_seconds: number
  /** Whether the host's counts are of the time it was watched, or since it was started. */
  readonly host_counts: 'watched' | 'since boot'
  readonly simulated_seconds: number
  readonly cpus: readonly ComparedCpu[]
  /** What differs, in words. */
  readonly differences: readonly string[]
}

const NAMES = ['processed', 'dropped', 'time_squeeze', 'received_rps', 'flow_limit_count'] as const

function countsOf(row: SoftnetStatRow | undefined): ComparedCounts {
  return {
    processed: row?.processed ?? 0,
    dropped: row?.dropped ?? 0,
    time_squeeze: row?.timeSqueeze ?? 0,
    received_rps: row?.receivedRps ?? 0,
    flow_limit_count: row?.flowLimitCount ?? 0,
  }
}

/** The counters are 32 bits wide and wrap. */
function difference(end: ComparedCounts, start: ComparedCounts): ComparedCounts {
  const minus = (name: (typeof NAMES)[number]): number => (end[name] - start[name] + U32) % U32
  return {
    processed: minus('processed'),
    dropped: minus('dropped'),
    time_squeeze: minus('time_squeeze'),
    received_rps: minus('received_rps'),
    flow_limit_count: minus('flow_limit_count'),
  }
}

function sum(cpus: readonly ComparedCpu[], side: 'host' | 'simulated', name: (typeof NAMES)[number]): number {
  return cpus.reduce((total, cpu) => total + cpu[side][name], 0)
}

/** Puts both together; null where the host has no softnet_stat. */
export function compareSoftnetStat(facts: HostFacts, result: ResultDocument): SoftnetComparison | null {
  const { start, end } = facts
  const last = end.softnetStat.length > 0 ? end : start
  if (last.softnetStat.length === 0) return null
  const rows = result.hosts[HOST]?.cpus ?? []
  const numbers = new Set([...last.softnetStat.map((row) => row.cpu), ...rows.map((row) => row.cpu)])
  const build = (isWindow: boolean): ComparedCpu[] =>
    [...numbers]
      .sort((a, b) => a - b)
      .map((cpu) => {
        const after = countsOf(last.softnetStat.find((row) => row.cpu === cpu))
        const before = countsOf(start.softnetStat.find((row) => row.cpu === cpu))
        const simulated = rows.find((row) => row.cpu === cpu)?.softnet_stat
        return {
          cpu,
          host: isWindow ? difference(after, before) : after,
          simulated: {
            processed: simulated?.processed ?? 0,
            dropped: simulated?.dropped ?? 0,
            time_squeeze: simulated?.time_squeeze ?? 0,
            received_rps: simulated?.received_rps ?? 0,
            flow_limit_count: simulated?.flow_limit_count ?? 0,
          },
        }
      })
  const elapsedSec = (end.uptimeSec ?? 0) - (start.uptimeSec ?? 0)
  const watched = last === end && start.softnetStat.length > 0 && elapsedSec > 0 ? build(true) : []
  const isWindow = sum(watched, 'host', 'processed') >= WINDOW_PACKETS_MIN
  const cpus = isWindow ? watched : build(false)
  return {
    host_seconds: isWindow ? Number(elapsedSec.toFixed(2)) : (last.uptimeSec ?? 0),
    host_counts: isWindow ? 'watched' : 'since boot',
    simulated_seconds: result.simulated_ns / 1e9,
    cpus,
    differences: differencesOf(cpus),
  }
}

function perMillion(cpus: readonly ComparedCpu[], side: 'host' | 'simulated', name: (typeof NAMES)[number]): number {
  const packets = sum(cpus, side, 'processed')
  return packets === 0 ? 0 : (sum(cpus, side, name) / packets) * 1e6
}

function differencesOf(cpus: readonly ComparedCpu[]): readonly string[] {
  const out: string[] = []
  const all = { host: sum(cpus, 'host', 'processed'), simulated: sum(cpus, 'simulated', 'processed') }
  for (const { cpu, host, simulated } of cpus) {
    const here = host.processed / Math.max(1, all.host)
    const there = simulated.processed / Math.max(1, all.simulated)
    if (Math.abs(here - there) > SHARE_DIFFERENCE) {
      out.push(
        `cpu${cpu} takes ${formatPercent(here)} of the host’s packets and ${formatPercent(there)} of the simulated ones.`,
      )
    }
  }
  for (const name of NAMES.slice(1)) {
    const here = perMillion(cpus, 'host', name)
    const there = perMillion(cpus, 'simulated', name)
    if (here > 0 !== there > 0 && Math.max(here, there) >= 1) {
      const [has, lacks] = here > 0 ? ['the host', 'the simulation'] : ['the simulation', 'the host']
      out.push(`${name}: ${has} counts ${formatCount(Math.max(here, there))} per million packets, ${lacks} none.`)
    }
  }
  return out
}

/** The comparison as a table. */
export function comparisonText(comparison: SoftnetComparison): string {
  const { cpus, host_seconds: hostSec, simulated_seconds: simulatedSec } = comparison
  const packets = { host: sum(cpus, 'host', 'processed'), simulated: sum(cpus, 'simulated', 'processed') }
  const counts = ['dropped', 'time_squeeze', 'received_rps'] as const
  const row = (name: string, of: readonly ComparedCpu[]): string[] => [
    name,
    formatPercent(sum(of, 'host', 'processed') / Math.max(1, packets.host)),
    formatPercent(sum(of, 'simulated', 'processed') / Math.max(1, packets.simulated)),
    ...counts.flatMap((count) => [
      formatCount(perMillion(of, 'host', count)),
      formatCount(perMillion(of, 'simulated', count)),
    ]),
  ]
  const heading = ['', 'packets', '', 'dropped', '', 'squeezed', '', 'rps', '']
  const sides = ['CPU', 'host', 'softnet', 'host', 'softnet', 'host', 'softnet', 'host', 'softnet']
  const rows = [heading, sides, ...cpus.map((cpu) => row(`cpu${cpu.cpu}`, [cpu])), row('all', cpus)]
  const over = comparison.host_counts === 'watched' ? 'while it was watched' : 'since boot, modulo 2^32'
  const rate = (count: number, seconds: number) => formatFrequency(count / Math.max(seconds, 1e-9))
  return [
    `softnet_stat: host ${formatTime(hostSec * 1e9)} ${over}, ${rate(packets.host, hostSec)}; softnet ${formatTime(simulatedSec * 1e9)}, ${rate(packets.simulated, simulatedSec)}`,
    'packets: share of the CPU; others: per million of its packets. The host counts every device, loopback too.',
    ...tableLines(rows, ['left', ...(rows[0]?.slice(1).map(() => 'right' as const) ?? [])]),
    ...comparison.differences,
    comparison.differences.length === 0
      ? 'Nothing differs much.'
      : 'Traffic and readers are guesses; a difference is as often theirs as the model’s.',
  ].join('\n')
}
