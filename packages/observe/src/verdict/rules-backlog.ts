/** Diagnoses of packets lost at a CPU's backlog (`enqueue_to_backlog`). */
import { formatCpuList } from '@softnet/scenario/plan'
import { formatCount, formatPercent } from '../format.js'
import { type CpuFacts, type HostFacts, lostFor, type RunFacts, spareCpus } from './facts.js'
import type { DiagnosisRule, Finding, Remedy } from './rule.js'
import { listValue, maskValue, powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

interface BacklogLoss {
  readonly lost: number
  /** CPU that dropped most. */
  readonly cpu: CpuFacts
  readonly dropped: number
  readonly limit: number
}

function backlogLoss(host: HostFacts): BacklogLoss | null {
  const cpu = [...host.cpus].sort((a, b) => b.row.softnet_stat.dropped - a.row.softnet_stat.dropped)[0]
  const lost = lostFor(host, 'CPU_BACKLOG')
  if (lost === 0 || cpu === undefined) return null
  return {
    lost,
    cpu,
    dropped: cpu.row.softnet_stat.dropped,
    limit: host.plan.sysctl['net.core.netdev_max_backlog'],
  }
}

function overflow(loss: BacklogLoss): string {
  return `${formatCount(loss.lost)} packets found a backlog beyond netdev_max_backlog = ${formatCount(loss.limit)}`
}

function target(loss: BacklogLoss): string {
  const { cpu } = loss
  return `${cpu.name} dropped ${formatCount(loss.dropped)} of them and is ${formatPercent(1 - cpu.idle)} busy (softirq ${formatPercent(cpu.softirq)}, hard interrupts ${formatPercent(cpu.hardirq)}, tasks ${formatPercent(cpu.task)})`
}

function rpsQueue(host: HostFacts, cpu: CpuFacts) {
  return host.queues.find((queue) => queue.rpsCpus.includes(cpu.cpu))
}

function flowLimit(host: HostFacts, run: RunFacts): Finding | null {
  const loss = backlogLoss(host)
  if (loss === null) return null
  const limited = run.result.drops
    .filter((drop) => drop.host === host.name && drop.where === 'skb_flow_limit')
    .reduce((sum, drop) => sum + drop.count, 0)
  if (limited * 2 < loss.lost) return null
  return {
    lostFrames: loss.lost,
    weight: 0.5,
    limits: 'place',
    claim: `The flow limit dropped ${formatCount(limited)} of ${formatCount(loss.lost)} packets lost at the backlog: one flow had more than half of the last 128 packets while the queue was half full.`,
    evidence: `${target(loss)}.`,
    advice:
      'It protects the small flows from the large one; that is its purpose, so look at the sender of the large flow first.',
    remedies: [],
  }
}

function rpsTargetIsIrqCpu(host: HostFacts, run: RunFacts): Finding | null {
  const loss = backlogLoss(host)
  if (loss === null || !loss.cpu.saturated) return null
  const queue = rpsQueue(host, loss.cpu)
  if (queue === undefined || queue.cpu !== loss.cpu) return null
  const others = queue.rpsCpus.filter((cpu) => cpu !== loss.cpu.cpu)
  const idle = others.length > 0 ? others : spareCpus(host).map(({ cpu }) => cpu)
  if (idle.length === 0) return null
  return {
    lostFrames: loss.lost,
    weight: 1 - loss.cpu.idle,
    limits: 'place',
    claim: `${overflow(loss)} on ${loss.cpu.name}, which takes the interrupts of ${queue.row.dev} and is an RPS target as well.`,
    evidence: `${target(loss)}.`,
    advice: `Leave ${loss.cpu.name} out of the mask, so that it only runs the driver and hands packets on.`,
    remedies: [
      remedy(
        settingPaths(run, host.name).device(queue.row.dev, 'queues.rps_cpus'),
        maskValue([...idle].sort((a, b) => a - b)),
        `steers to CPUs ${formatCpuList(idle)} only`,
      ),
    ],
  }
}

function backlogCpuSaturated(host: HostFacts, run: RunFacts): Finding | null {
  const loss = backlogLoss(host)
  if (loss === null || !loss.cpu.saturated) return null
  const paths = settingPaths(run, host.name)
  const queue = rpsQueue(host, loss.cpu)
  const spare = spareCpus(host).filter(({ cpu }) => queue?.cpu.cpu !== cpu)
  const remedies: Remedy[] = []
  if (queue !== undefined && spare.length > 0) {
    const cpus = [...new Set([...queue.rpsCpus, ...spare.map(({ cpu }) => cpu)])].sort((a, b) => a - b)
    if (cpus.length > queue.rpsCpus.length) {
      remedies.push(
        remedy(paths.device(queue.row.dev, 'queues.rps_cpus'), maskValue(cpus), `shares the work of ${loss.cpu.name}`),
      )
    }
  }
  const app = host.apps.find(({ tasks }) => tasks.some((task) => task.cpu === loss.cpu.cpu))
  const elsewhere = spare.find(({ cpu }) => !queue?.rpsCpus.includes(cpu))
  if (app !== undefined && elsewhere !== undefined && loss.cpu.task >= 0.2) {
    remedies.push(
      remedy(paths.app(app.plan.name, 'cpus'), listValue([elsewhere.cpu]), `frees ${loss.cpu.name} for the protocols`),
    )
  }
  return {
    lostFrames: loss.lost,
    weight: 1 - loss.cpu.idle,
    limits: 'place',
    claim: `${overflow(loss)} because ${loss.cpu.name}, which runs their protocols, can take no more.`,
    evidence: `${target(loss)}; a longer backlog would only add latency.`,
    advice:
      remedies.length > 0
        ? 'Share its work with the CPUs that are idle.'
        : 'Take work away from that CPU: no CPU has room to spare.',
    remedies,
  }
}

function backlogTooShort(host: HostFacts, run: RunFacts): Finding | null {
  const loss = backlogLoss(host)
  if (loss === null || loss.cpu.saturated) return null
  const longest = Math.max(loss.limit + 1, loss.cpu.row.softnet_stat.input_qlen_max)
  const wanted = Math.min(65_536, powerOfTwoAtLeast(longest * 2))
  return {
    lostFrames: loss.lost,
    weight: 0.5,
    claim: `${overflow(loss)} in bursts: the CPU is not busy on average.`,
    evidence: `${target(loss)}; its input_pkt_queue reached ${formatCount(loss.cpu.row.softnet_stat.input_qlen_max)}.`,
    advice: 'A longer backlog holds the burst; each packet in it adds to the latency of those behind.',
    remedies: [
      remedy(settingPaths(run, host.name).sysctl('net.core.netdev_max_backlog'), wanted, 'room for the burst'),
    ],
  }
}

/** Rules about the backlog, the most particular cause first. */
export const BACKLOG_RULES: readonly DiagnosisRule[] = [
  {
    name: 'flow_limit',
    subject: 'backlog',
    summary: 'The flow limit dropped packets of a large flow',
    find: flowLimit,
  },
  {
    name: 'rps_target_is_irq_cpu',
    subject: 'backlog',
    summary: 'RPS steers to the interrupted CPU',
    find: rpsTargetIsIrqCpu,
  },
  {
    name: 'backlog_cpu_saturated',
    subject: 'backlog',
    summary: 'The CPU of the backlog can take no more',
    find: backlogCpuSaturated,
  },
  {
    name: 'backlog_too_short',
    subject: 'backlog',
    summary: 'Bursts overflow the backlog of an idle CPU',
    find: backlogTooShort,
  },
]
