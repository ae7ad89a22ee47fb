import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { checkReport } from './check-report.js'
import { Draw } from './draw.js'
import { hostileFrame, hostilePacket, LINKS, pcapOf } from './hostile-packets.js'
import { linuxReceives, type Receiver } from './linux-receive.js'
import { type Report, runModel } from './run-model.js'

/** The host that hostile packets are sent to. */
export const HOST: Receiver = { mac: '020000000001', address: 'c0000201', peer: 'c0000202', ports: [9000, 9001] }

const GAP_NS = 20_000

/** A host that replays a capture. */
export function replayScenario(gro: boolean, durationNs: number): ScenarioInput {
  return {
    duration: `${durationNs}ns`,
    hosts: {
      server: {
        cpus: 2,
        cstates: 'none',
        // Fragments of datagrams that stay incomplete end at the next jiffy.
        sysctl: { 'net.ipv4.ipfrag_time': 0 },
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '192.0.2.1/24',
            mac: '02:00:00:00:00:01',
            link: '10Gbit',
            mtu: 9000,
            channels: { combined: 1 },
            rings: { rx: 64 },
            features: { gro },
            coalesce: { 'rx-usecs': gro ? 200 : 1 },
          },
        },
        apps: { sink: { cpus: [1], sockets: { count: 2, bind: '0.0.0.0:9000', 'port-step': 1 } } },
      },
    },
    traffic: { recorded: { kind: 'replay', capture: 'hostile.pcap' } },
  }
}

function planOf(scenario: ScenarioInput, capture: Buffer): Plan {
  const compiled = compileScenario(scenario, { source: 'hostile', readCapture: () => new Uint8Array(capture) })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return compiled.plan
}

function replay(capture: Buffer, frames: number, gro: boolean, gapNs = GAP_NS): { report: Report; faults: string[] } {
  const plan = planOf(replayScenario(gro, frames * gapNs + 5e6), capture)
  const { report } = runModel(plan)
  const faults = checkReport(plan, report)
  if (report.packets.offered !== frames) faults.push(`${report.packets.offered} of ${frames} frames were offered`)
  if (report.packets.in_flight !== 0) faults.push(`${report.packets.in_flight} packets have not ended`)
  return { report, faults }
}

function counterOf(report: Report, name: string): number {
  const [table, counter] = name.split('.') as [string, string]
  const { packets, drops, hosts } = report
  if (table === 'end') {
    if (counter === 'delivered' || counter === 'consumed') return packets[counter]
    return drops.filter(({ reason }) => reason === counter).reduce((sum, { count }) => sum + count, 0)
  }
  const netns = hosts.server?.netns.init
  return netns?.snmp[table]?.[counter] ?? netns?.netstat[table]?.[counter] ?? -1
}

const COUNTERS = [
  ...['Ip.InReceives', 'Ip.InHdrErrors', 'Ip.InUnknownProtos', 'Ip.InDelivers'],
  ...['IpExt.InTruncatedPkts', 'IpExt.InCsumErrors', 'IpExt.InNoECTPkts', 'IpExt.InECT1Pkts', 'IpExt.InECT0Pkts'],
  ...['IpExt.InCEPkts', 'Udp.InDatagrams', 'Udp.NoPorts', 'Udp.InErrors', 'Udp.InCsumErrors', 'Tcp.InSegs'],
  ...['Tcp.InErrs', 'Tcp.InCsumErrors', 'Icmp.InMsgs', 'Icmp.InErrors', 'Icmp.InCsumErrors', 'Icmp.InEchos'],
  ...['end.delivered', 'end.consumed', 'end.OTHERHOST', 'end.IP_INHDR', 'end.IP_CSUM', 'end.PKT_TOO_SMALL'],
  ...['end.IP_NOPROTO', 'end.UDP_CSUM', 'end.TCP_CSUM', 'end.ICMP_CSUM', 'end.NO_SOCKET', 'end.NOT_SPECIFIED'],
  'end.UNHANDLED_PROTO',
]

/** Replays frames whose end under Linux is known and returns every counter that another number moved to. */
export function checkCounted(seed: number, count: number): string[] {
  const draw = new Draw(seed)
  const frames: Buffer[] = []
  const expected = new Map<string, number>(COUNTERS.map((name) => [name, 0]))
  let octets = 0
  while (frames.length < count) {
    const frame = hostileFrame(draw, HOST)
    const received = linuxReceives(frame, HOST)
    if (received.counters === null) continue
    frames.push(frame)
    octets += received.octets
    for (const name of received.counters) expected.set(name, (expected.get(name) ?? 0) + 1)
  }
  const { report, faults } = replay(pcapOf(1, frames, GAP_NS), frames.length, false)
  for (const [name, number] of [...expected, ['IpExt.InOctets', octets] as const]) {
    const counted = counterOf(report, name)
    if (counted !== number) faults.push(`${name} is ${counted}, Linux has ${number}`)
  }
  return faults.map((fault) => `seed ${seed}: ${fault}`)
}

/** Replays frames of any kind under each link type, with GRO, and returns every broken invariant. */
export function checkAnyPacket(seed: number, count: number): string[] {
  return LINKS.flatMap(({ type, header }) => {
    const draw = new Draw(seed, type + 10)
    const frames = Array.from({ length: count }, () => {
      if (type === 1) return hostileFrame(draw, HOST)
      const frame = Buffer.concat([Buffer.from(header(draw)), hostilePacket(draw, HOST)])
      return draw.chance(0.1) ? frame.subarray(0, draw.below(frame.length + 1)) : frame
    })
    // Packets close together, so that GRO has something to join.
    const { faults } = replay(pcapOf(type, frames, 3000), frames.length, true, 3000)
    return faults.map((fault) => `seed ${seed}, link type ${type}: ${fault}`)
  })
}
