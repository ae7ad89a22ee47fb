import { defineSystem } from '@softnet/ecs'
import { FAULT_IP_OPTIONS } from '@softnet/wire'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { icmpSend } from '../icmp/icmp-send.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { ipRouteInput } from '../route/ip-route-input.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { ipOptions } from './ip-options.js'

const POSITION_SHIFT = 2 ** 24
/** Position of the destination address in the header. */
const DADDR_POSITION = 16

/** Reads the options of a packet that came in; drop place, or −1. Kernel: net/ipv4/ip_input.c, ip_rcv_options */
export const ipRcvOptions = defineSystem<(cpu: number, row: number) => number>(
  'ip_rcv_options',
  'ip',
  'net/ipv4/ip_input.c, ip_rcv_options',
  (context) => {
    const { DROP, ICMP_TYPE, IPSKB, PACKET_TYPE, RTN, SKB, SNMP, STAGE } = NUMBERS

    const { daddr, flags, ipcb, optNexthop } = context.write(Skb)
    const { faults, dev, packetType, optSrr, rtType } = context.read(Skb)
    const { acceptSourceRoute } = context.read(InDev)
    const bytes = context.system(skbBytes)
    const options = context.system(ipOptions)
    const route = context.system(ipRouteInput)
    const icmp = context.system(icmpSend)
    const spend = context.system(charge)
    const count = context.system(counters)

    function bad(cpu: number, row: number, position: number): void {
      icmp(cpu, row, ICMP_TYPE.parameterProblem, 0, position * POSITION_SHIFT)
    }

    /** Follows a source route as far as its hops are ours; true if the packet may go on. Kernel: ip_options_rcv_srr */
    function followSourceRoute(cpu: number, row: number): boolean {
      if (packetType[row] !== PACKET_TYPE.host) return false
      if (rtType[row] === RTN.unicast) {
        if ((ipcb[row] & IPSKB.strictRoute) === 0) return true
        bad(cpu, row, DADDR_POSITION)
        return false
      }
      if (rtType[row] !== RTN.local) return false
      const at = optSrr[row]
      const space = bytes.u8(row, at + 1)
      let pointer = bytes.u8(row, at + 2)
      let moved = false
      for (; pointer <= space; pointer += 4) {
        if (pointer + 3 > space) {
          bad(cpu, row, at + 2)
          return false
        }
        const next = bytes.u32(row, at + pointer - 1)
        optNexthop[row] = next
        spend(cpu, STAGE.ip_route_input, 1)
        if (route(cpu, row, next | 0) < 0) return false
        const kind: number = rtType[row]
        if (kind === RTN.unicast) break
        if (kind !== RTN.local) return false
        daddr[row] = next
        bytes.setU32(row, DADDR_POSITION, next)
        moved = true
      }
      // What the card has vouched for is not summed again.
      if (moved && pointer > space && (flags[row] & SKB.csumUnnecessary) === 0) {
        const isBad = (flags[row] & SKB.lastStopCsumBad) !== 0 ? SKB.csumBad : 0
        flags[row] = (flags[row] & ~SKB.csumBad) | isBad
      }
      if (pointer <= space) ipcb[row] |= IPSKB.sourceRouteHit
      return true
    }

    return (cpu, row) => {
      if (!bytes.has(row)) {
        // Without bytes all that is known of the options is whether they are sound.
        if ((faults[row] & FAULT_IP_OPTIONS) === 0) return -1
        count.snmp(cpu, SNMP.IpInHdrErrors, 1)
        return DROP.ipOptions
      }
      if (!bytes.cow(cpu, row)) {
        count.snmp(cpu, SNMP.IpInDiscards, 1)
        return DROP.optionsNoMemory
      }
      const wrong = options.compile(cpu, row)
      if (wrong !== 0) {
        bad(cpu, row, wrong)
        count.snmp(cpu, SNMP.IpInHdrErrors, 1)
        return DROP.ipOptions
      }
      if (optSrr[row] === 0) return -1
      if (acceptSourceRoute[dev[row]] === 0 || !followSourceRoute(cpu, row)) return DROP.ipOptionsSourceRoute
      return -1
    }
  },
)
