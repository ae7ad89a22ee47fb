import { type HostResult, type SocketRow, STAGES, type TaskRow } from '@softnet/scenario/plan'
import { formatIpv4 } from '@softnet/wire'
import type { Model } from '../build/build-model.js'
import { sends } from '../build/compute-layout.js'
import type { HostLayout, NetLayout } from '../build/layout.js'
import { GRO_ROWS, GroCount, SNMP_ROWS, SnmpCount } from '../count/components.js'
import { GRO } from '../count/device.js'
import { SNMP, SNMP_TABLES } from '../count/snmp.js'
import { CONTEXT, CONTEXT_ROWS, ContextTime, STAGE_ROWS, StageTime } from '../cpu/components.js'
import { FragDir } from '../defrag/components.js'
import { IrqCount, LocalIrq } from '../irq/components.js'
import { INIT_NET } from '../netns/net-layout.js'
import { netRow } from '../netns/net-row.js'
import { Sock, SockView } from '../sock/components.js'
import { SOFTIRQ_NAMES, SoftirqCount } from '../softirq/components.js'
import { BacklogView, Softnet } from '../softnet/components.js'
import { Task } from '../task/components.js'
import { contextTimeline } from './context-timeline.js'
import { reportCaptures } from './report-captures.js'
import { reportDevices, reportEthtool, reportQueues } from './report-devices.js'
import { reportLinkLog } from './report-link.js'
import { reportNeighbours } from './report-neighbours.js'
import { reportNetfilter } from './report-netfilter.js'
import { reportPrograms } from './report-programs.js'
import { reportQdiscs, reportSending, reportTxQueues } from './report-tx.js'

const PS_PER_NS = 1000

/** Everything a host shows, under Linux's names. */
export function reportHost(model: Model, host: HostLayout, simulatedPs: number): HostResult {
  return {
    cpus: host.plan.cpus.map((_, i) => ({
      ...cpuRow(model, host.cpus[i], i),
      timeline_ns: contextTimeline(model, host.cpus[i], simulatedPs),
    })),
    queues: reportQueues(model, host),
    devices: reportDevices(model, host),
    ...(host.devices.some((device) => device.txQueues.length > 0)
      ? { tx_queues: reportTxQueues(model, host), qdiscs: reportQdiscs(model, host) }
      : {}),
    ...reportLinkLog(model, host),
    tasks: taskRows(model, host),
    ...reportPrograms(model, host),
    ...reportCaptures(model, host),
    gro: groCounts(model, host, false),
    xdp: groCounts(model, host, true),
    ethtool: reportEthtool(model, host),
    ...interrupts(model, host),
    softirqs: softirqs(model, host),
    netns: Object.fromEntries(
      model.layout.nets
        .filter(({ hostIndex }) => hostIndex === host.index)
        .map((net) => [
          net.netns,
          {
            snmp: snmp(model, net, ['Ip', 'Icmp', 'Tcp', 'Udp']),
            netstat: snmp(model, net, ['TcpExt', 'IpExt']),
            sockets: socketRows(model, net),
            sockstat: { FRAG: fragStat(model, net) },
            ...reportNetfilter(model, net),
            // One table for all namespaces; its statistics are in the first.
            ...(net.netns === INIT_NET ? reportNeighbours(model, net) : {}),
          },
        ]),
    ),
  }
}

function fragStat(model: Model, host: HostLayout) {
  const { queues, memoryBytes, memoryMaxBytes } = model.world.columns(FragDir)
  const row = host.index + 1
  return { inuse: queues[row], memory: memoryBytes[row], memory_max: memoryMaxBytes[row] }
}

function cpuRow(model: Model, cpu: number, number: number) {
  const { ps } = model.world.columns(ContextTime)
  const { ps: stagePs } = model.world.columns(StageTime)
  const s = model.world.columns(Softnet)
  const at = (context: number) => ps[cpu * CONTEXT_ROWS + context] / PS_PER_NS
  const stages_ns: Record<string, number> = {}
  STAGES.forEach((stage, id) => {
    const spent = stagePs[cpu * STAGE_ROWS + id]
    if (spent > 0) stages_ns[stage] = spent / PS_PER_NS
  })
  return {
    cpu: number,
    time_ns: {
      hardirq: at(CONTEXT.hardirq),
      softirq: at(CONTEXT.softirq),
      ksoftirqd: at(CONTEXT.ksoftirqd),
      task: at(CONTEXT.task),
      idle: at(CONTEXT.idle),
    },
    stages_ns,
    softnet_stat: {
      processed: s.processed[cpu],
      dropped: s.dropped[cpu] + droppedBySenders(model, cpu),
      time_squeeze: s.timeSqueeze[cpu],
      received_rps: s.receivedRps[cpu],
      flow_limit_count: s.flowLimitCount[cpu],
      squeeze_budget: s.squeezeBudget[cpu],
      squeeze_time: s.squeezeTime[cpu],
      input_qlen: s.inputCount[cpu],
      process_qlen: s.processCount[cpu],
      input_qlen_max: s.inputMax[cpu],
    },
  }
}

/** What the flow limits of other CPUs dropped of the packets for this one. */
function droppedBySenders(model: Model, cpu: number): number {
  const { dropped } = model.world.columns(BacklogView)
  const { cpuRows } = model.layout
  let sum = 0
  for (let from = 1; from < cpuRows; from++) sum += dropped[from * cpuRows + cpu]
  return sum
}

function taskRows(model: Model, host: HostLayout): TaskRow[] {
  const t = model.world.columns(Task)
  const rows: TaskRow[] = []
  const add = (name: string, id: number) => {
    rows.push({
      name,
      cpu: host.cpus.indexOf(t.cpu[id]),
      time_ns: t.runPs[id] / PS_PER_NS,
      switches: t.switches[id],
      wakeups: t.wakeups[id],
      messages: t.messages[id],
      syscalls: t.syscalls[id],
    })
  }
  host.plan.cpus.forEach((_, i) => {
    add(`ksoftirqd/${i}`, host.ksoftirqds[i])
  })
  for (const device of host.devices) {
    device.plan.vectors.forEach((_, v) => {
      if (device.workers.length > 0) add(`kworker/${device.plan.name}-${v}`, device.workers[v])
    })
    if (!device.plan.threaded) continue
    device.plan.vectors.forEach((_, v) => {
      add(`napi/${device.plan.name}-${v}`, device.threads[v])
    })
  }
  host.plan.apps.forEach((app, a) => {
    app.tasks.forEach((_, i) => {
      add(app.tasks.length === 1 ? app.name : `${app.name}/${i}`, host.appTasks[a][i])
    })
  })
  return rows
}

const GRO_NAMES: readonly [string, number][] = [
  ['MERGED', GRO.merged],
  ['MERGED_FREE', GRO.mergedFree],
  ['HELD', GRO.held],
  ['NORMAL', GRO.normal],
  ['CONSUMED', GRO.consumed],
  ['DROP', GRO.drop],
  ['delivered', GRO.delivered],
  ['flushed_age', GRO.flushedAge],
]
const XDP_NAMES: readonly [string, number][] = [
  ['PASS', GRO.xdpPass],
  ['DROP', GRO.xdpDrop],
  ['ABORTED', GRO.xdpAborted],
  ['TX', GRO.xdpTx],
  ['REDIRECT', GRO.xdpRedirect],
]

function groCounts(model: Model, host: HostLayout, xdp: boolean): Record<string, number> {
  const { value } = model.world.columns(GroCount)
  const counts: Record<string, number> = {}
  for (const [name, id] of xdp ? XDP_NAMES : GRO_NAMES) {
    counts[name] = 0
    host.plan.cpus.forEach((_, i) => {
      counts[name] += value[host.cpus[i] * GRO_ROWS + id]
    })
  }
  return counts
}

function interrupts(model: Model, host: HostLayout) {
  const { count } = model.world.columns(IrqCount)
  const { ticks, hrtimers } = model.world.columns(LocalIrq)
  const { calIpis, resIpis } = model.world.columns(Softnet)
  const { cpuRows, firstVector } = model.layout
  const cpus = host.plan.cpus.map((_, i) => host.cpus[i])
  const byIrq: Record<string, number[]> = {}
  const names: Record<string, string> = {}
  for (const device of host.devices) {
    if (device.plan.peer !== undefined) continue
    device.plan.vectors.forEach((vector, v) => {
      const row = (device.vectors[v] - firstVector) * cpuRows
      byIrq[vector.irq] = cpus.map((cpu) => count[row + cpu])
      names[vector.irq] = device.plan.vectors.length === 1 ? device.plan.name : `${device.plan.name}-rx-${v}`
    })
  }
  byIrq.LOC = cpus.map((cpu) => ticks[cpu] + hrtimers[cpu])
  byIrq.RES = cpus.map((cpu) => resIpis[cpu])
  byIrq.CAL = cpus.map((cpu) => calIpis[cpu])
  return { interrupts: byIrq, interrupt_names: names }
}

function softirqs(model: Model, host: HostLayout): Record<string, number[]> {
  const { count } = model.world.columns(SoftirqCount)
  return Object.fromEntries(
    SOFTIRQ_NAMES.map((name, vector) => [name, host.plan.cpus.map((_, i) => count[host.cpus[i] * 16 + vector])]),
  )
}

function snmp(model: Model, host: NetLayout, tables: readonly (keyof typeof SNMP_TABLES)[]) {
  const { value } = model.world.columns(SnmpCount)
  const first = netRow(host.index, model.layout.hosts.length, model.layout.cpuRows)
  const result: Record<string, Record<string, number>> = {}
  for (const table of tables) {
    const block: Record<string, number> = {}
    for (const name of SNMP_TABLES[table]) {
      const id = SNMP[`${table}${name}` as keyof typeof SNMP]
      let sum = 0
      host.plan.cpus.forEach((_, i) => {
        sum += value[(first + host.cpus[i]) * SNMP_ROWS + id]
      })
      block[name] = sum
    }
    result[table] = block
  }
  // Forwarding is 1, or 2 where it is off.
  if (result.Ip !== undefined) {
    result.Ip.Forwarding = host.plan.confAll.forwarding !== 0 ? 1 : 2
    result.Ip.DefaultTTL = host.plan.ipv4.ip_default_ttl
  }
  return result
}

/** Names of protocols as ss prints them. */
const PROTOCOLS = { udp: 'udp', ping: 'icmp', raw: 'raw', packet: 'packet' } as const

function socketRows(model: Model, host: HostLayout): SocketRow[] {
  const s = model.world.columns(Sock)
  const { drops: viewDrops } = model.world.columns(SockView)
  const { sources } = model.constants
  const rows: SocketRow[] = []
  host.plan.apps.forEach((app, a) => {
    app.sockets.forEach((plan, i) => {
      const id = host.appSockets[a][i]
      let drops = s.drops[id]
      for (let source = 0; source < sources; source++) drops += viewDrops[id * sources + source]
      rows.push({
        proto: PROTOCOLS[plan.family ?? 'udp'],
        local: `${formatIpv4(plan.address)}:${plan.raw?.protocol ?? plan.packet?.protocol ?? plan.port}`,
        peer: plan.peer === null ? '0.0.0.0:*' : `${formatIpv4(plan.peer.address)}:${plan.peer.port}`,
        app: app.name,
        received: s.received[id],
        drops,
        rcvbuf: s.rcvbuf[id],
        rmem_max_used: s.rmemMax[id],
        ...(sends(app) ? reportSending(model, id) : {}),
      })
    })
  })
  return rows
}
