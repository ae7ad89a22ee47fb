/** What is said of a run in which nothing comes from outside: its programs send by themselves. */
import type { ProgramRow, Verdict } from '@softnet/scenario/plan'
import { formatBitRate, formatCount, formatPercent, formatRate, formatTime } from '../format.js'
import { type HostFacts, type RunFacts, SATURATED_IDLE, topStage } from './facts.js'

/** A link is full from this share of its time on: what a CPU hands over late leaves gaps. */
const FULL_LINK = 0.95

/** A device's link and how much of its time frames were on it. */
interface LinkUse {
  readonly name: string
  readonly share: number
}

function linkUses(host: HostFacts, ns: number): LinkUse[] {
  return host.result.devices.flatMap((row): LinkUse[] => {
    const device = host.plan.devices.find(({ name }) => name === row.name)
    if (device === undefined || row.tx_packets === 0 || ns === 0) return []
    const bytes = row.tx_bytes + row.tx_packets * (device.frameOverheadBytes + 4)
    return [{ name: row.name, share: (bytes * 8e9) / (ns * device.linkBitsPerSec) }]
  })
}

function sent(program: ProgramRow, ns: number): string {
  const { app, datagrams, bytes } = program
  const rate = ns > 0 ? ` (${formatRate((datagrams * 1e9) / ns)}, ${formatBitRate((bytes * 8e9) / ns)} of payload)` : ''
  const trips = program.round_trip_ns
  if (program.replies === undefined) return `${app} sent ${formatCount(datagrams)} datagrams${rate}`
  const took =
    trips === undefined || trips === null
      ? ''
      : `: half within ${formatTime(trips.p50)}, 99 % within ${formatTime(trips.p99)}`
  return `${app} got ${formatCount(program.replies)} replies to ${formatCount(datagrams)} requests${took}`
}

function failures(programs: readonly ProgramRow[]): string {
  const parts = programs.flatMap(({ app, errors }) => {
    const all = Object.entries(errors).sort((a, b) => b[1] - a[1])
    const text = all.map(([name, count]) => `${formatCount(count)} times ${name}`).join(', ')
    return all.length === 0 ? [] : [`${app} failed ${text}`]
  })
  return parts.length === 0 ? '' : `${parts.join('; ')}.`
}

function limit(host: HostFacts, ns: number): { name: string; sentence: string } {
  const link = linkUses(host, ns).sort((a, b) => b.share - a.share)[0]
  const cpu = [...host.cpus].sort((a, b) => a.idle - b.idle)[0]
  const stage = cpu === undefined ? undefined : topStage(cpu)
  const used = link === undefined ? '' : `The link of ${link.name} is ${formatPercent(Math.min(1, link.share))} full. `
  const busy =
    cpu === undefined
      ? ''
      : `The busiest CPU, cpu${cpu.cpu}, is ${formatPercent(1 - cpu.idle)} busy${stage === undefined ? '' : `, most of it with ${stage.name} (${formatPercent(stage.share)})`}.`
  const name =
    link !== undefined && link.share >= FULL_LINK
      ? 'tx_link'
      : cpu !== undefined && cpu.idle < SATURATED_IDLE
        ? 'tx_cpu'
        : 'none'
  return { name, sentence: `${used}${busy}` }
}

/** Verdict on a run whose programs send and to which nothing is offered; null for any other. */
export function sendingVerdict(run: RunFacts): Verdict | null {
  const host = run.hosts.find(({ result }) => result.programs !== undefined)
  if (host?.result.programs === undefined || run.result.packets.offered > 0) return null
  const { programs } = host.result
  const ns = run.result.simulated_ns
  const found = limit(host, ns)
  const failed = failures(programs)
  const sentences = [`${programs.map((program) => sent(program, ns)).join('; ')}.`, found.sentence, failed]
  return { bottleneck: found.name, sentences: sentences.filter((text) => text !== ''), remedies: [] }
}
