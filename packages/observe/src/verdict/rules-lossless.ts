/** Diagnoses of runs that lost nothing: squeezed softirqs, and what the latency is made of. */
import type { LatencySummary } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatTime } from '../format.js'
import { cpuOf, type HostFacts, type RunFacts, spareCpus } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { rivalOn } from './rules-socket.js'
import { listValue, remedy, settingPaths } from './settings.js'

/** A part of the median latency that is worth naming. */
const LARGE_PART = 0.4
const BUSY_QUEUE_CPU = 0.8
/** A median above this is no cost of the path itself, ns. */
const WAIT_NS = 200_000

function squeeze(host: HostFacts, run: RunFacts): Finding | null {
  let packets = 0
  let time = 0
  let total = 0
  for (const { row } of host.cpus) {
    packets += row.softnet_stat.squeeze_budget
    time += row.softnet_stat.squeeze_time
    total += row.softnet_stat.time_squeeze
  }
  if (total === 0) return null
  const sysctl = host.plan.sysctl
  const budget = sysctl['net.core.netdev_budget']
  const usecs = sysctl['net.core.netdev_budget_usecs']
  const byPackets = packets >= time
  const paths = settingPaths(run, host.name)
  const harmless = host.lostFrames === 0
  const limit = byPackets
    ? `netdev_budget = ${formatCount(budget)} packets`
    : `netdev_budget_usecs = ${formatCount(usecs)}`
  const runs = host.result.softirqs.NET_RX?.reduce((sum, count) => sum + count, 0) ?? 0
  const share = runs > 0 ? ` of ${formatCount(runs)} runs` : ''
  return {
    lostFrames: 0,
    weight: 0.6,
    claim: `net_rx_action ended ${formatCount(total)} times${share} with work left (time_squeeze): ${formatCount(packets)} by packets, ${formatCount(time)} by time, so ${limit} is the limit that binds.`,
    evidence: harmless
      ? 'No packet was lost by it: a squeeze only hands the rest to the next run, and is no reason for alarm.'
      : 'A squeeze loses nothing by itself; the rest goes to the next run.',
    advice: byPackets
      ? 'A larger netdev_budget makes longer runs; a larger netdev_budget_usecs would change nothing.'
      : `A larger netdev_budget_usecs makes longer runs; at ${host.plan.hz} jiffies per second it counts in steps of ${formatTime(1e9 / host.plan.hz)}, and a larger netdev_budget would change nothing.`,
    remedies: harmless
      ? [
          byPackets
            ? remedy(paths.sysctl('net.core.netdev_budget'), budget * 2, 'fewer squeezes, longer waits for tasks')
            : remedy(paths.sysctl('net.core.netdev_budget_usecs'), usecs * 2, 'fewer squeezes, longer waits for tasks'),
        ]
      : [],
  }
}

function moderation(host: HostFacts, run: RunFacts, latency: LatencySummary): Finding | null {
  for (const { row, device, cpu } of host.queues) {
    const waitNs = device.rxUsecs * 1000
    const irqGapNs = row.irqs > 0 ? run.result.simulated_ns / row.irqs : 0
    // A gap rule delays only a frame that comes too soon, so the interrupts must really be that far apart.
    if (waitNs === 0 || row.irqs === 0 || row.frames < row.irqs * 1.5 || irqGapNs > waitNs * 2) continue
    const part = waitNs / 2 / latency.p50
    if (part < LARGE_PART || cpu.idle < 0.1) continue
    return {
      lostFrames: 0,
      weight: Math.min(1, part),
      claim: `Half of the packets take ${formatTime(latency.p50)} or more, and most of that is interrupt moderation: rx-usecs = ${device.rxUsecs} on ${device.name}.`,
      evidence: `Queue ${row.queue} interrupts every ${formatTime(irqGapNs)} and brings ${(row.frames / row.irqs).toFixed(1)} frames each time, while ${cpu.name} is ${formatPercent(cpu.idle)} idle.`,
      advice: 'A smaller rx-usecs trades CPU time for latency.',
      remedies: [
        remedy(
          settingPaths(run, host.name).device(device.name, 'coalesce.rx-usecs'),
          Math.floor(device.rxUsecs / 4),
          'less waiting, more interrupts',
        ),
        ...(device.adaptiveRx
          ? [
              remedy(
                settingPaths(run, host.name).device(device.name, 'coalesce.adaptive-rx'),
                'off',
                'else the driver sets rx-usecs itself',
              ),
            ]
          : []),
      ],
    }
  }
  return null
}

function cstates(host: HostFacts, run: RunFacts, latency: LatencySummary): Finding | null {
  const exits = host.cpus.reduce((sum, { row }) => sum + (row.stages_ns.cstate_exit ?? 0), 0)
  const irqs = host.queues.reduce((sum, { row }) => sum + row.irqs, 0)
  if (exits === 0 || irqs === 0) return null
  const each = exits / irqs
  const part = each / latency.p50
  if (part < LARGE_PART) return null
  const deepest = host.plan.cstates[host.plan.cstates.length - 1]
  return {
    lostFrames: 0,
    weight: Math.min(1, part),
    claim: `Half of the packets take ${formatTime(latency.p50)} or more, and most of that is waking idle CPUs: ${formatTime(each)} of C-state exit per interrupt.`,
    evidence: `The CPUs wait ${formatTime(exits)} in all to wake${deepest === undefined ? '' : `; ${deepest.name} takes ${formatTime(deepest.exitLatencyPs / 1000)} to leave`}.`,
    advice: 'Keep the CPUs out of deep idle states, or busy poll, and pay with power.',
    remedies: [remedy(settingPaths(run, host.name).host('cstates'), 'none', 'an idle CPU wakes at once')],
  }
}

function queueing(host: HostFacts, latency: LatencySummary): Finding | null {
  const busiest = [...host.queues].sort((a, b) => a.cpu.idle - b.cpu.idle)[0]
  if (busiest === undefined || 1 - busiest.cpu.idle < BUSY_QUEUE_CPU) return null
  if (latency.p99 < latency.min * 4) return null
  return {
    lostFrames: 0,
    weight: 0.5 * (1 - busiest.cpu.idle),
    claim: `Latency is waiting in queues: p99 is ${formatTime(latency.p99)} where the fastest packet takes ${formatTime(latency.min)}.`,
    evidence: `${busiest.cpu.name} is ${formatPercent(1 - busiest.cpu.idle)} busy, a poll finds ${busiest.row.packets_per_poll.toFixed(1)} packets and the ring reached ${formatCount(busiest.row.ring_max)} of ${formatCount(busiest.row.ring_size)}.`,
    advice: `There is little room for more traffic on ${busiest.cpu.name}.`,
    remedies: [],
  }
}

/** A reader that waits for its CPU while another program computes there. */
function runQueueWait(host: HostFacts, run: RunFacts, latency: LatencySummary): Finding | null {
  if (latency.p50 < WAIT_NS) return null
  for (const app of host.apps) {
    for (const task of app.tasks) {
      const cpu = cpuOf(host, task.cpu)
      const rival = cpu === undefined ? null : rivalOn(host, app, cpu)
      if (cpu === undefined || rival === null || rival.share < 0.5 || task.messages === 0) continue
      const free = spareCpus(host).filter((other) => other !== cpu)[0]
      return {
        lostFrames: 0,
        weight: 0.9,
        claim: `Half of the packets take ${formatTime(latency.p50)} or more, and most of that is waiting for ${cpu.name}: ${rival.name} has ${formatPercent(rival.share)} of it, and ${app.plan.name} runs when the scheduler lets it.`,
        evidence: `${app.plan.name} needs only ${formatPercent(task.time_ns / run.result.simulated_ns)} of the CPU, but after a wake-up it waits for a slice to end, and at ${host.plan.hz} jiffies per second that is seen every ${formatTime(1e9 / host.plan.hz)}.`,
        advice: `Keep ${rival.name} off ${cpu.name}.`,
        remedies:
          free === undefined || app.tasks.length > 1
            ? []
            : [
                remedy(
                  settingPaths(run, host.name).app(app.plan.name, 'cpus'),
                  listValue([free.cpu]),
                  `away from ${rival.name}`,
                ),
              ],
      }
    }
  }
  return null
}

function latencyRule(find: (host: HostFacts, run: RunFacts, latency: LatencySummary) => Finding | null) {
  return (host: HostFacts, run: RunFacts): Finding | null =>
    run.result.latency_ns === null || host.lostFrames > 0 ? null : find(host, run, run.result.latency_ns)
}

/** Rules about runs, or parts of runs, that lost nothing. */
export const LOSSLESS_RULES: readonly DiagnosisRule[] = [
  { name: 'time_squeeze', subject: 'squeeze', summary: 'Softirq runs end with work left', find: squeeze },
  {
    name: 'run_queue',
    subject: 'latency',
    summary: 'Latency is waiting for a CPU that another program has',
    find: latencyRule(runQueueWait),
  },
  { name: 'moderation', subject: 'latency', summary: 'Latency is interrupt moderation', find: latencyRule(moderation) },
  { name: 'cstate_exit', subject: 'latency', summary: 'Latency is waking idle CPUs', find: latencyRule(cstates) },
  {
    name: 'queueing',
    subject: 'latency',
    summary: 'Latency is waiting in queues',
    find: latencyRule((host, _run, latency) => queueing(host, latency)),
  },
]
