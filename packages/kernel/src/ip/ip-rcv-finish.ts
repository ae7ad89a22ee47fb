import { defineSystem } from '@softnet/ecs'
import { IP_MF, IP_OFFSET } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import type { Stage } from '../netif/stage.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { ipRouteInput, routeDrop } from '../route/ip-route-input.js'
import { SKB, Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { udpLookup } from '../udp/lookup.js'
import { ipRcvOptions } from './ip-options-rcv.js'

const FRAGMENT = IP_MF | IP_OFFSET
/** Words of a TCP header without options. */
const TCP_DOFF_MIN = 5
const ROUTE_FLAGS = SKB.routeBroadcast | SKB.routeMulticast

/**
 * Early demux, the routing decision, IP options, and the counters of broadcasts and groups. A packet whose socket
 * early demux finds takes the socket's cached route, so no routing is charged for it.
 * Kernel: net/ipv4/ip_input.c, ip_rcv_finish_core
 */
export const ipRcvFinish = defineSystem<Stage>(
  'ip_rcv_finish',
  'ip',
  'net/ipv4/ip_input.c, ip_rcv_finish_core',
  (context) => {
    const { DROP, FAULT_L4_SHORT, IPPROTO_TCP, IPPROTO_UDP, PACKET_TYPE, RTN, SKB, SNMP, STAGE } = NUMBERS

    const { flags, sock } = context.write(Skb)
    const { daddr, dev, faults, idFrag, ipWord, len, packetType, rtType, tcpWord } = context.read(Skb)
    const { dropUnicastInL2Multicast } = context.read(InDev)
    const { net } = context.read(Cpu)
    const route = context.system(ipRouteInput)
    const options = context.system(ipRcvOptions)
    const lookup = context.system(udpLookup)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const { nets } = context.resource(PLAN_CONSTANTS)
    // Only a connected socket can be found early.
    const earlyDemux = Uint8Array.from(nets, ({ sysctl, apps }) => {
      const enabled = sysctl['net.ipv4.ip_early_demux'] !== 0 && sysctl['net.ipv4.udp_early_demux'] !== 0
      return enabled && apps.some((app) => app.sockets.some((each) => each.peer !== null)) ? 1 : 0
    })
    const tcpEarlyDemux = Uint8Array.from(nets, ({ sysctl }) =>
      sysctl['net.ipv4.ip_early_demux'] !== 0 && sysctl['net.ipv4.tcp_early_demux'] !== 0 ? 1 : 0,
    )

    /** Kernel: net/ipv4/udp.c, udp_v4_early_demux */
    function demux(cpu: number, row: number): number {
      if ((ipWord[row] & 255) !== IPPROTO_UDP || packetType[row] !== PACKET_TYPE.host) return 0
      if ((idFrag[row] & FRAGMENT) !== 0 || (faults[row] & FAULT_L4_SHORT) !== 0) return 0
      return lookup.demux(cpu, row)
    }

    /** Whether a segment is looked up among established connections. Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_early_demux */
    function demuxesTcp(row: number): boolean {
      if ((ipWord[row] & 255) !== IPPROTO_TCP || packetType[row] !== PACKET_TYPE.host) return false
      if ((idFrag[row] & FRAGMENT) !== 0 || (faults[row] & FAULT_L4_SHORT) !== 0) return false
      return ((tcpWord[row] >>> 12) & 15) >= TCP_DOFF_MIN
    }

    /** Counts by route and returns the drop place of a packet that is refused here, or −1. */
    function classify(cpu: number, row: number): number {
      if (rtType[row] === RTN.multicast) {
        count.snmp(cpu, SNMP.IpExtInMcastPkts, 1)
        count.snmp(cpu, SNMP.IpExtInMcastOctets, len[row])
        flags[row] |= SKB.routeMulticast
        return -1
      }
      if (rtType[row] === RTN.broadcast) {
        count.snmp(cpu, SNMP.IpExtInBcastPkts, 1)
        count.snmp(cpu, SNMP.IpExtInBcastOctets, len[row])
        flags[row] |= SKB.routeBroadcast
        return -1
      }
      const isGroup = packetType[row] === PACKET_TYPE.broadcast || packetType[row] === PACKET_TYPE.multicast
      return isGroup && dropUnicastInL2Multicast[dev[row]] !== 0 ? DROP.l2Multicast : -1
    }

    function finish(cpu: number, row: number): number {
      if ((flags[row] & SKB.looped) === 0) {
        const answer = route(cpu, row, daddr[row] | 0)
        if (answer < 0) {
          const drop = routeDrop(answer)
          if (drop === DROP.rpFilter) count.snmp(cpu, SNMP.TcpExtIPReversePathFilter, 1)
          return drop
        }
      }
      if (((ipWord[row] >>> 24) & 15) > 5) {
        const drop = options(cpu, row)
        if (drop >= 0) return drop
      }
      return classify(cpu, row)
    }

    return (ids, packets, cpu) => {
      const at = net[cpu]
      const demuxing = earlyDemux[at] !== 0
      const demuxingTcp = tcpEarlyDemux[at] !== 0
      let segments = 0
      let kept = 0
      let routed = 0
      for (let i = 0; i < packets; i++) {
        const row = ids[i]
        flags[row] &= ~ROUTE_FLAGS
        // What the host sent to itself has its route still.
        const looped = (flags[row] & SKB.looped) !== 0
        const socket = demuxing && !looped ? demux(cpu, row) : 0
        sock[row] = socket
        if (socket === 0 && !looped) routed++
        if (demuxingTcp && demuxesTcp(row)) segments++
        const drop = finish(cpu, row)
        if (drop >= 0) kfree(cpu, row, drop)
        else ids[kept++] = row
      }
      if (segments > 0) spend(cpu, STAGE.tcp_early_demux, segments)
      if (routed > 0) spend(cpu, STAGE.ip_route_input, routed)
      return kept
    }
  },
)
