import { pathStages } from '@softnet/observe'
import { bucketIndex, type HostPlan, type Plan, TIMELINE_CONTEXTS } from '@softnet/scenario'
import type { Report } from './run-model.js'

/** Rounding of ps printed as ns, in ns. */
const PRINTED_NS = 1
/** Greatest napi-weight. */
const MAX_WEIGHT = 256
const ROUTE_PLACES = [
  'ip_route_input_slow',
  'fib_validate_source',
  'ip_route_input_rcu',
  'ip_rcv_finish_core',
  'ip_forward',
]

type Fault = (text: string) => void

/** Everything that is wrong with the result of one run, whatever the scenario. */
export function checkReport(plan: Plan, report: Report): string[] {
  const faults: string[] = []
  const fault: Fault = (text) => faults.push(text)
  checkNumbers(report, 'result', fault)
  checkPackets(report, fault)
  checkLatency(plan, report, fault)
  for (const host of plan.hosts) {
    const result = report.hosts[host.name]
    if (result === undefined) fault(`no result of host ${host.name}`)
    else {
      checkCpus(host, report, fault)
      checkDevices(host, report, fault)
      checkProtocols(host, report, fault)
    }
  }
  checkDelivered(plan, report, fault)
  checkPath(report, fault)
  return faults
}

function checkNumbers(value: unknown, path: string, fault: Fault): void {
  if (typeof value === 'number' && !(value >= 0 && Number.isFinite(value))) fault(`${path} is ${value}`)
  if (typeof value !== 'object' || value === null) return
  for (const [key, entry] of Object.entries(value)) checkNumbers(entry, `${path}.${key}`, fault)
}

function checkPackets({ packets, waiting, drops, timeline }: Report, fault: Fault): void {
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = packets
  const ended = delivered + consumed + sent + dropped + in_flight
  if (offered + created !== ended)
    fault(`offered ${offered} + created ${created} is not what ended: ${JSON.stringify(packets)}`)
  const held = sum(Object.values(waiting))
  if (held !== in_flight) fault(`${held} frames are waiting somewhere, ${in_flight} are in flight`)
  const lost = sum(drops.map(({ count }) => count))
  if (lost !== dropped) fault(`drops add up to ${lost}, packets.dropped is ${dropped}`)
  for (const key of ['offered', 'delivered', 'dropped'] as const) {
    const counted = sum(timeline.map((row) => row[key]))
    if (counted > packets[key]) fault(`timeline has ${counted} ${key}, packets ${packets[key]}`)
  }
  for (const { t_ns, dropped: lostThere, dropped_at = {} } of timeline) {
    if (sum(Object.values(dropped_at)) !== lostThere)
      fault(`drops by place at ${t_ns} ns do not add up to ${lostThere}`)
  }
}

/** The path's picture is drawn by subtraction; what the rings handed to the drivers is counted there. */
function checkPath(report: Report, fault: Fault): void {
  const { passed } = pathStages(report).find(({ place }) => place === 'ring')!
  const taken = Object.values(report.hosts).flatMap(({ ethtool }) =>
    Object.values(ethtool).flatMap((counters) =>
      Object.entries(counters).map(([name, count]) => (/^rx_queue_\d+_packets$/.test(name) ? count : 0)),
    ),
  )
  // A driver adds up when its poll ends, so the poll of each CPU that the end of the run cut short is not in its counters.
  const polls = sum(Object.values(report.hosts).map(({ cpus }) => cpus.length))
  const under = passed - sum(taken)
  if (under < 0 || under > polls * MAX_WEIGHT)
    fault(`the path shows ${passed} frames behind the rings, the drivers took ${sum(taken)}`)
}

function checkLatency(
  plan: Plan,
  { latency_ns: latency, latency_histogram: histogram, packets }: Report,
  fault: Fault,
): void {
  const counted = sum(histogram.map(([, count]) => count))
  if (latency === null) {
    if (counted > 0) fault(`${counted} latencies and no summary`)
    if (plan.warmupPs === 0 && packets.delivered > 0) fault('packets were delivered and no latency counted')
    return
  }
  const { min, p50, p90, p99, p999, max, mean, count } = latency
  const order = [min, p50, p90, p99, p999, max]
  if (order.some((value, index) => index > 0 && value < (order[index - 1] as number))) fault(`latencies fall: ${order}`)
  const edges = histogram.map(([upper]) => upper)
  for (const [exact, edge] of [
    [min, edges[0]],
    [max, edges.at(-1)],
  ] as const) {
    if (edge === undefined || bucketIndex(exact) !== bucketIndex(edge))
      fault(`latency ${exact} is the least or greatest, the histogram ends at ${edge}`)
  }
  // A percentile is the edge of a bucket unless that lies outside what was measured, by a fraction of a ns below.
  for (const told of [p50, p90, p99, p999]) {
    if (!edges.includes(told) && told !== min && told !== max) fault(`percentile ${told} is no edge of the histogram`)
  }
  if (mean < min - PRINTED_NS || mean > max + PRINTED_NS) fault(`mean latency ${mean} is not within ${min} and ${max}`)
  if (counted !== count) fault(`histogram has ${counted} latencies, the summary ${count}`)
  if (count > packets.delivered) fault(`${count} latencies of ${packets.delivered} delivered packets`)
}

function checkCpus(host: HostPlan, report: Report, fault: Fault): void {
  const { cpus } = report.hosts[host.name] as Report['hosts'][string]
  const maxBacklog = host.sysctl['net.core.netdev_max_backlog'] + 1
  for (const { cpu, time_ns, stages_ns, softnet_stat, timeline_ns } of cpus) {
    const busy = time_ns.hardirq + time_ns.softirq + time_ns.ksoftirqd + time_ns.task
    const all = busy + time_ns.idle
    if (Math.abs(all - report.simulated_ns) > PRINTED_NS) fault(`CPU ${cpu} has ${all} ns of ${report.simulated_ns}`)
    for (const name of TIMELINE_CONTEXTS) {
      const inTimeline = sum(timeline_ns[name])
      if (inTimeline !== Math.round(time_ns[name])) fault(`CPU ${cpu} has ${inTimeline} ns of ${name} in its timeline`)
      if (timeline_ns[name].some((ns) => ns < 0)) fault(`the timeline of CPU ${cpu} goes back`)
    }
    const stages = sum(Object.values(stages_ns))
    if (Math.abs(stages - busy) > PRINTED_NS) fault(`CPU ${cpu} is busy ${busy} ns, its stages ${stages}`)
    if (softnet_stat.input_qlen_max > maxBacklog)
      fault(`backlog of CPU ${cpu} had ${softnet_stat.input_qlen_max} packets`)
    const { time_squeeze, squeeze_budget, squeeze_time } = softnet_stat
    if (time_squeeze !== squeeze_budget + squeeze_time)
      fault(`time_squeeze ${time_squeeze} of CPU ${cpu} does not add up`)
  }
  // A merged packet counts once in softnet_stat and all its frames in the drops.
  const lost = sum(cpus.map(({ softnet_stat }) => softnet_stat.dropped))
  const backlog = dropsAt(report, host.name, (_, reason) => reason === 'CPU_BACKLOG')
  const merges = host.devices.some((device) => device.gro)
  if (merges ? lost > backlog : lost !== backlog) fault(`softnet dropped ${lost}, drops at the backlog ${backlog}`)
}

function checkDevices(host: HostPlan, report: Report, fault: Fault): void {
  const { queues, devices, ethtool } = report.hosts[host.name] as Report['hosts'][string]
  for (const { dev, queue, ring_max, ring_size, polls, polls_done } of queues) {
    if (ring_max > ring_size) fault(`${dev} queue ${queue}: ${ring_max} filled of ${ring_size} descriptors`)
    if (polls_done > polls) fault(`${dev} queue ${queue}: ${polls_done} of ${polls} polls done`)
  }
  const missed = sum(devices.map((row) => row.rx_missed_errors))
  const full = dropsAt(report, host.name, (where) => where === 'nic_packet_buffer' || where === 'rx_ring')
  if (missed !== full) fault(`rx_missed_errors ${missed}, drops in the NIC ${full}`)
  const crc = sum(devices.map((row) => row.rx_crc_errors))
  const wire = dropsAt(report, host.name, (where) => where === 'wire')
  if (crc !== wire) fault(`rx_crc_errors ${crc}, drops on the wire ${wire}`)
  for (const [name, stats] of Object.entries(ethtool)) {
    const row = devices.find((device) => device.name === name)
    if (row !== undefined && stats.rx_packets !== row.rx_packets) fault(`${name}: ethtool and /proc/net/dev disagree`)
  }
}

function checkProtocols(host: HostPlan, report: Report, fault: Fault): void {
  const spaces = Object.values((report.hosts[host.name] as Report['hosts'][string]).netns)
  const sockets = spaces.flatMap((space) => space.sockets)
  const at = (table: string, name: string) =>
    sum(spaces.map(({ snmp, netstat }) => snmp[table]?.[name] ?? netstat[table]?.[name] ?? 0))
  // A merged packet counts once in Linux's counters and all its frames in the drops.
  const merges = host.devices.some((device) => device.gro) || at('Ip', 'ReasmOKs') > 0
  const same = (what: string, packets: number, frames: number) => {
    if (merges ? packets > frames || (packets === 0) !== (frames === 0) : packets !== frames)
      fault(`${what} ${packets}, drops ${frames}`)
  }
  const drops = (reason: string, where?: string) =>
    dropsAt(report, host.name, (place, why) => why === reason && (where === undefined || place === where))
  same('UdpRcvbufErrors', at('Udp', 'RcvbufErrors'), drops('SOCKET_RCVBUFF'))
  same('UdpNoPorts', at('Udp', 'NoPorts'), drops('NO_SOCKET', '__udp4_lib_rcv'))
  same('UdpInCsumErrors', at('Udp', 'InCsumErrors'), drops('UDP_CSUM'))
  same('IpInHdrErrors', at('Ip', 'InHdrErrors'), drops('IP_INHDR') + drops('IP_CSUM'))
  const received = sum(sockets.map((socket) => socket.received))
  if (received !== at('Udp', 'InDatagrams'))
    fault(`sockets received ${received}, UdpInDatagrams ${at('Udp', 'InDatagrams')}`)
  const refused = sum(sockets.map((socket) => socket.drops))
  if (refused < at('Udp', 'RcvbufErrors'))
    fault(`sockets dropped ${refused}, UdpRcvbufErrors ${at('Udp', 'RcvbufErrors')}`)
  const ways = [
    'InHdrErrors',
    'InAddrErrors',
    'InUnknownProtos',
    'InDiscards',
    'InDelivers',
    'ReasmReqds',
    'ForwDatagrams',
  ]
  const known = sum(ways.map((name) => at('Ip', name))) + at('IpExt', 'InTruncatedPkts') + at('IpExt', 'InNoRoutes')
  // Every fragment is received, and what is put together is delivered once more.
  const rest = at('Ip', 'InReceives') - known + at('Ip', 'ReasmOKs')
  // Bad options are dropped at a routing place, and counted as bad headers.
  const routed = dropsAt(report, host.name, (where, why) => ROUTE_PLACES.includes(where) && why !== 'IP_INHDR')
  if (merges ? rest < 0 || rest > routed : rest !== routed)
    fault(
      `IpInReceives ${at('Ip', 'InReceives')}: ${known} accounted, ${routed} dropped by routing; ${JSON.stringify(spaces.map(({ snmp }) => snmp.Ip))}`,
    )
}

/** What the hosts count as delivered, taken together; a merged packet counts once there and all its frames in `packets`. */
function checkDelivered({ hosts }: Plan, report: Report, fault: Fault): void {
  const spaces = Object.values(report.hosts).flatMap(({ netns }) => Object.values(netns))
  const datagrams = sum(spaces.map(({ snmp }) => snmp.Udp?.InDatagrams ?? 0))
  const reassembled = sum(spaces.map(({ snmp }) => snmp.Ip?.ReasmOKs ?? 0))
  const merges = reassembled > 0 || hosts.some(({ devices }) => devices.some((device) => device.gro))
  const { delivered } = report.packets
  if (merges ? datagrams > delivered || (datagrams === 0) !== (delivered === 0) : datagrams !== delivered)
    fault(`UdpInDatagrams ${datagrams}, frames delivered ${delivered}`)
}

function dropsAt({ drops }: Report, host: string, matches: (where: string, reason: string) => boolean): number {
  return sum(drops.filter((drop) => drop.host === host && matches(drop.where, drop.reason)).map(({ count }) => count))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
