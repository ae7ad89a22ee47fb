/** Diagnoses of netfilter: what its rules dropped, and what looking at them costs. */
import type { NetfilterResult } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatTime } from '../format.js'
import {
  type CpuFacts,
  type HostFacts,
  hottestQueue,
  lostFor,
  type QueueFacts,
  type RunFacts,
  spareCpus,
} from './facts.js'
import type { DiagnosisRule, Finding, Remedy } from './rule.js'
import { maskValue, powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

/** Share of a CPU's busy time in rules from which they are what limits it. */
const RULES_SHARE = 0.3
/** Rules per packet from which a list of them counts as long. */
const MANY_RULES = 16

/** Netfilter's part of a host, if it has rules. */
function netfilterOf(host: HostFacts): NetfilterResult | undefined {
  return Object.values(host.result.netns).find(({ netfilter }) => netfilter !== undefined)?.netfilter
}

/** What dropped frames: a rule, or the policy of a chain. */
interface Dropper {
  readonly what: string
  readonly frames: number
}

function droppers(netfilter: NetfilterResult): Dropper[] {
  const all: Dropper[] = []
  for (const { family, name, chains } of netfilter.tables) {
    for (const chain of chains) {
      const where = `chain ${chain.name} of table ${family} ${name}`
      for (const { text, handle, dropped } of chain.rules) {
        if (dropped > 0) all.push({ what: `rule \`${text}\` (handle ${handle}, ${where})`, frames: dropped })
      }
      if (chain.policy !== null && chain.policy.dropped > 0) {
        all.push({ what: `the policy of ${where}`, frames: chain.policy.dropped })
      }
    }
  }
  return all.sort((a, b) => b.frames - a.frames || (a.what < b.what ? -1 : 1))
}

function lostIn(host: HostFacts, run: RunFacts, where: string): number {
  const rows = run.result.drops.filter((drop) => drop.host === host.name && drop.where === where)
  return rows.reduce((sum, { count, reason }) => sum + (reason === 'NETFILTER_DROP' ? count : 0), 0)
}

/** Connections that could not be tracked. */
function conntrackFull(host: HostFacts, run: RunFacts): Finding | null {
  const conntrack = netfilterOf(host)?.conntrack
  const lost = lostIn(host, run, 'nf_hook_slow')
  if (lost === 0 || conntrack === undefined) return null
  const sum = (key: 'drop' | 'early_drop' | 'insert_failed'): number =>
    conntrack.stat.reduce((total, row) => total + row[key], 0)
  if (sum('drop') === sum('insert_failed')) return null
  const { offered } = run.result.packets
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${offered > 0 ? ` (${formatPercent(lost / offered)} of those offered)` : ''} began connections that nf_conntrack has no room for: it tracks ${formatCount(conntrack.count)} and may track ${formatCount(conntrack.max)} (table full, dropping packet).`,
    evidence: `${formatCount(sum('early_drop'))} connections were evicted for others; where the eight chains that are looked at hold none to evict, the packet is dropped.`,
    advice:
      'Make the table larger, shorten nf_conntrack_udp_timeout, or exempt what needs no state with notrack at hook prerouting.',
    remedies: [
      remedy(
        settingPaths(run, host.name).sysctl('net.netfilter.nf_conntrack_max'),
        powerOfTwoAtLeast(conntrack.max * 8),
        'room for every flow until it times out',
      ),
    ],
  }
}

function droppedByRule(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostIn(host, run, 'nft_do_chain')
  const netfilter = netfilterOf(host)
  if (lost === 0 || netfilter === undefined) return null
  const found = droppers(netfilter)
  const [most, second] = found
  if (most === undefined) return null
  const { offered } = run.result.packets
  const others = second === undefined ? '' : ` Next is ${second.what} with ${formatCount(second.frames)}.`
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${offered > 0 ? ` (${formatPercent(lost / offered)} of those offered)` : ''} were dropped by netfilter, ${formatCount(most.frames)} of them by ${most.what}.`,
    evidence: `The drop reason is NETFILTER_DROP: they were refused by rule, not for lack of room.${others}`,
    advice:
      'If they are meant to pass, put a rule that accepts them before it; if not, dropping them earlier (hook prerouting, or XDP) costs less.',
    remedies: [],
  }
}

function rulesShare(cpu: CpuFacts): number {
  const { stages_ns } = cpu.row
  const busy = Object.values(stages_ns).reduce((sum, time) => sum + time, 0)
  const rules = (stages_ns.nft_do_chain ?? 0) + (stages_ns.nf_hook_slow ?? 0)
  return busy > 0 ? rules / busy : 0
}

/** Rules that stay as they are can at least be gone through on several CPUs. */
function spreadRules(host: HostFacts, run: RunFacts, queue: QueueFacts): Remedy[] {
  // A program on a CPU that is busy with rules would not get to read what they let in.
  const reading = new Set(host.plan.apps.flatMap(({ tasks }) => tasks.flat()))
  const spare = spareCpus(host).filter(({ cpu }) => cpu !== queue.cpu.cpu && !reading.has(cpu))
  if (spare.length === 0) return []
  const mask = maskValue(spare.map(({ cpu }) => cpu).sort((a, b) => a - b))
  const path = settingPaths(run, host.name).device(queue.row.dev, 'queues.rps_cpus')
  return [remedy(path, mask, 'has idle CPUs go through the rules; fewer rules per packet do more')]
}

function longRuleset(host: HostFacts, run: RunFacts): Finding | null {
  const netfilter = netfilterOf(host)
  const queue = hottestQueue(host)
  if (netfilter === undefined || queue === undefined) return null
  // Rules run where the stack runs: on the CPU of the queue, or where packets are steered.
  const cpu = [...host.cpus].sort(
    (a, b) => rulesShare(b) * (1 - b.idle) - rulesShare(a) * (1 - a.idle) || a.cpu - b.cpu,
  )[0]
  if (cpu === undefined || !cpu.saturated || rulesShare(cpu) < RULES_SHARE) return null
  const perPacket = netfilter.rules_evaluated / Math.max(1, netfilter.hook_packets)
  if (perPacket < MANY_RULES) return null
  const lost = lostFor(host, 'NIC_RX_MISSED', 'NIC_RX_NO_BUFFER', 'CPU_BACKLOG')
  const rulesNs = host.cpus.reduce((sum, each) => sum + (each.row.stages_ns.nft_do_chain ?? 0), 0)
  const nsPerPacket = rulesNs / Math.max(1, netfilter.hook_packets)
  const place = lostFor(host, 'CPU_BACKLOG') > lost / 2 ? 'a full backlog' : 'no descriptor'
  const found = lost === 0 ? '' : `${formatCount(lost)} frames found ${place}: `
  return {
    lostFrames: lost,
    weight: rulesShare(cpu),
    limits: 'place',
    claim: `${found}${found === '' ? 'Each' : 'each'} packet is compared with ${formatCount(Math.round(perPacket))} rules, which takes ${formatTime(nsPerPacket)} and ${formatPercent(rulesShare(cpu))} of the busy time of ${cpu.name}.`,
    evidence: `nft_do_chain went through ${formatCount(netfilter.rules_evaluated)} rules for ${formatCount(netfilter.hook_packets)} packets; it looks at one rule after the other until one ends the chain.`,
    advice:
      'Put what shares a verdict into a set and branch with a verdict map: a lookup costs nearly the same for two elements and for ten thousand. Accept the most frequent traffic first.',
    remedies: spreadRules(host, run, queue),
  }
}

/** Rules of netfilter; the second comes before those of rings, whose loss it explains. */
export const NETFILTER_RULES: readonly DiagnosisRule[] = [
  {
    name: 'long_ruleset',
    subject: 'ring',
    summary: 'Packets are compared with a long list of rules',
    find: longRuleset,
  },
  {
    name: 'conntrack_full',
    subject: 'protocol',
    summary: 'The table of connections is full',
    find: conntrackFull,
  },
  {
    name: 'dropped_by_rule',
    subject: 'protocol',
    summary: 'A rule of nf_tables dropped them',
    find: droppedByRule,
  },
]
