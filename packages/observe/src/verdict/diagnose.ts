/** From a result to two or three sentences: the bottleneck, the evidence, and what to try. */
import type { Plan, Verdict } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatTime } from '../format.js'
import { type CpuFacts, gatherFacts, type RunFacts, topStage, type UndiagnosedResult } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { ANSWER_RULES } from './rules-answers.js'
import { BACKLOG_RULES } from './rules-backlog.js'
import { FRAGMENT_RULES } from './rules-fragments.js'
import { GROWING_RULES } from './rules-growing.js'
import { LINK_RULES } from './rules-link.js'
import { LOSSLESS_RULES } from './rules-lossless.js'
import { NETFILTER_RULES } from './rules-netfilter.js'
import { NETWORK_RULES } from './rules-network.js'
import { PROTOCOL_RULES } from './rules-protocol.js'
import { RING_RULES } from './rules-ring.js'
import { SOCKET_RULES } from './rules-socket.js'
import { TRANSMIT_RULES } from './rules-transmit.js'
import { WIRE_RULES } from './rules-wire.js'
import { sendingVerdict } from './sending.js'

/** Every built-in diagnosis; among findings of one subject with equal loss the earlier rule wins. */
export const DIAGNOSIS_RULES: readonly DiagnosisRule[] = [
  ...WIRE_RULES,
  ...LINK_RULES,
  ...NETFILTER_RULES,
  ...ANSWER_RULES,
  ...NETWORK_RULES,
  ...RING_RULES,
  ...BACKLOG_RULES,
  ...TRANSMIT_RULES,
  ...SOCKET_RULES,
  ...FRAGMENT_RULES,
  ...PROTOCOL_RULES,
  ...GROWING_RULES,
  ...LOSSLESS_RULES,
]

/** Share of all loss from which a second cause is told. */
const SECOND_CAUSE = 0.1
const MAX_REMEDIES = 4

/** A finding with the rule that made it. */
export interface RankedFinding {
  readonly rule: DiagnosisRule
  readonly host: string
  readonly finding: Finding
}

/** A place loses enough to be the limit from this share of what reached it. */
const LIMITING_SHARE = 0.05

/**
 * How far along the path a finding limits what is delivered, 0 where it loses too little to do so. Packets lost late have
 * cost the most, and whatever more came through earlier would be lost there too: the last place that loses much is the
 * bottleneck, however much is lost before it.
 */
function limitingPlace({ rule, finding }: RankedFinding, run: RunFacts): number {
  if (finding.lostFrames === 0 || finding.limits === undefined) return 0
  if (finding.limits === 'everything') return 4
  const { delivered, consumed } = run.result.packets
  const behind = run.hosts.reduce((sum, { lostByReason }) => sum + (lostByReason.SOCKET_RCVBUFF ?? 0), 0)
  const useful = delivered + consumed
  if (rule.subject === 'socket') return finding.lostFrames >= (useful + finding.lostFrames) * LIMITING_SHARE ? 3 : 0
  if (rule.subject === 'backlog')
    return finding.lostFrames >= (useful + behind + finding.lostFrames) * LIMITING_SHARE ? 2 : 0
  return 0
}

/** What every rule finds: first what limits latest on the path, then the greatest loss, the greatest weight, the order of the rules. */
export function findAll(
  result: UndiagnosedResult,
  plan: Plan,
  rules: readonly DiagnosisRule[] = DIAGNOSIS_RULES,
): RankedFinding[] {
  return rank(gatherFacts(result, plan), rules)
}

function rank(run: RunFacts, rules: readonly DiagnosisRule[]): RankedFinding[] {
  const found: (RankedFinding & { order: number })[] = []
  for (const host of run.hosts) {
    for (const [order, rule] of rules.entries()) {
      const finding = rule.find(host, run)
      if (finding !== null) found.push({ rule, host: host.name, finding, order })
    }
  }
  return found.sort(
    (a, b) =>
      limitingPlace(b, run) - limitingPlace(a, run) ||
      b.finding.lostFrames - a.finding.lostFrames ||
      // Causes of one loss are alternatives: the more particular rule comes first in the list.
      (a.finding.lostFrames > 0 ? 0 : b.finding.weight - a.finding.weight) ||
      a.order - b.order,
  )
}

function busiestCpu(run: RunFacts): CpuFacts | undefined {
  return run.hosts.flatMap((host) => host.cpus).sort((a, b) => a.idle - b.idle || a.cpu - b.cpu)[0]
}

/** Where the time goes on a host that copes. */
function busySentence(run: RunFacts): string {
  const cpu = busiestCpu(run)
  if (cpu === undefined) return ''
  const stage = topStage(cpu)
  const most =
    stage === undefined ? '' : `; its largest stage is ${stage.name} (${formatPercent(stage.share)} of the busy time)`
  return `The busiest CPU, ${cpu.name}, is ${formatPercent(1 - cpu.idle)} busy (softirq ${formatPercent(cpu.softirq)}, hard interrupts ${formatPercent(cpu.hardirq)}, tasks ${formatPercent(cpu.task)})${most}.`
}

function lossless(run: RunFacts, ranked: readonly RankedFinding[]): Verdict {
  const { packets, latency_ns } = run.result
  // An overload is told before what only costs time.
  const line =
    ranked.find(({ rule }) => rule.subject === 'wire') ?? ranked.find(({ rule }) => rule.name === 'queues_growing')
  const top = line ?? ranked[0]
  const ends = [
    ...(packets.delivered > 0 || packets.sent === 0 ? [`${formatCount(packets.delivered)} delivered`] : []),
    ...(packets.sent > 0 ? [`${formatCount(packets.sent)} sent`] : []),
    ...(packets.in_flight > 0 ? [`${formatCount(packets.in_flight)} still on their way`] : []),
  ]
  const delivered = `No packet was lost: ${formatCount(packets.offered)} offered, ${ends.join(', ')}.`
  const bottleneck = line === undefined ? 'none' : line.rule.name
  const sending = sendingVerdict(run)
  if (sending !== null) return sending
  if (packets.offered === 0) {
    return {
      bottleneck: 'none',
      sentences: ['No packet was offered.', 'Look at the start, the rate and the duration of the traffic.'],
      remedies: [],
    }
  }
  if (top !== undefined) {
    return {
      bottleneck,
      sentences: [delivered, `${hostPrefix(run, top)}${top.finding.claim}`, top.finding.evidence],
      remedies: top.finding.remedies.slice(0, MAX_REMEDIES),
    }
  }
  const latency =
    latency_ns === null
      ? 'Nothing was read by an application after the warm-up, so there is no latency to tell.'
      : `Half of the packets were read within ${formatTime(latency_ns.p50)} and 99 % within ${formatTime(latency_ns.p99)}; nothing needs to change.`
  return { bottleneck, sentences: [delivered, busySentence(run), latency].filter((text) => text !== ''), remedies: [] }
}

/** Loss that no rule explains: where and why it was counted, without a guess at the cause. */
function unexplained(run: RunFacts): Verdict {
  const most = [...run.result.drops].sort((a, b) => b.count - a.count)[0]
  const { dropped, offered } = run.result.packets
  const share = offered > 0 ? ` (${formatPercent(dropped / offered)})` : ''
  return {
    bottleneck: most === undefined ? 'unknown' : most.reason.toLowerCase(),
    sentences: [
      `${formatCount(dropped)} frames${share} were lost${most === undefined ? '' : `, ${formatCount(most.count)} of them in ${most.where} with reason ${most.reason}`}.`,
      busySentence(run),
    ].filter((text) => text !== ''),
    remedies: [],
  }
}

function secondCause(
  ranked: readonly RankedFinding[],
  first: RankedFinding,
  dropped: number,
): RankedFinding | undefined {
  return ranked.find(
    ({ rule, host, finding }) =>
      finding.lostFrames > 0 &&
      (rule.subject !== first.rule.subject || rule.subject === 'protocol' || host !== first.host) &&
      (rule !== first.rule || host !== first.host) &&
      finding.lostFrames >= dropped * SECOND_CAUSE &&
      finding.lostFrames + first.finding.lostFrames <= dropped,
  )
}

/** Diagnoses a run: the bottleneck's name (`none` when nothing was lost and all was offered), sentences and settings. */
export function diagnose(
  result: UndiagnosedResult,
  plan: Plan,
  rules: readonly DiagnosisRule[] = DIAGNOSIS_RULES,
): Verdict {
  const run = gatherFacts(result, plan)
  const ranked = rank(run, rules)
  const { dropped } = result.packets
  if (dropped === 0) return lossless(run, ranked)
  const first = ranked[0]
  if (first === undefined || first.finding.lostFrames === 0) return unexplained(run)
  const second = secondCause(ranked, first, dropped)
  const remedies = [...first.finding.remedies, ...(second?.finding.remedies ?? [])]
  const seen = new Set<string>()
  const distinct = remedies.filter(({ set }) => {
    const path = set.slice(0, set.indexOf('='))
    if (seen.has(path)) return false
    seen.add(path)
    return true
  })
  return {
    bottleneck: first.rule.name,
    sentences: [
      `${hostPrefix(run, first)}${first.finding.claim}`,
      first.finding.evidence,
      second === undefined
        ? first.finding.advice
        : `Besides, ${hostPrefix(run, second)}${lowerFirst(second.finding.claim)}`,
    ],
    remedies: distinct.slice(0, MAX_REMEDIES),
  }
}

/** Where there are several hosts, a finding begins with the one it is about. */
function hostPrefix(run: RunFacts, { host }: RankedFinding): string {
  return run.hosts.length > 1 ? `${host}: ` : ''
}

function lowerFirst(text: string): string {
  return /^(The|A|Interrupt) /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
