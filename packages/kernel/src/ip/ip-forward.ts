import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { icmpSend } from '../icmp/icmp-send.js'
import { inetPeers } from '../icmp/inet-peer.js'
import { hasRules, nfHookSlow } from '../netfilter/nf-hook-slow.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { fibLookup } from '../route/fib-lookup.js'
import { Flow } from '../route/flow.js'
import { ifAddrs } from '../route/ifaddr.js'
import { skbFlow, usesFlows } from '../route/skb-flow.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { gsoNetworkLength } from './gso-network-length.js'
import { ipOptions } from './ip-options.js'
import { ipDstMtu, ipOutput } from './ip-output.js'
import { tosPriority } from './tos-priority.js'

const DSCP = 0xfc

/** Passes a packet on to another host, or tells its sender why not. Kernel: net/ipv4/ip_forward.c, ip_forward */
export const ipForward = defineSystem<(cpu: number, row: number) => void>(
  'ip_forward',
  'ip',
  'net/ipv4/ip_forward.c, ip_forward',
  (context) => {
    const { DROP, ICMP_CODE, ICMP_TYPE, IPSKB, IP_DF, NF_HOOK, PACKET_TYPE, RTCF, SCOPE, SKB, SNMP } = NUMBERS

    const { ipWord, ipcb, priority } = context.write(Skb)
    const { dev, fragMax } = context.read(Skb)
    const { packetType, flags, idFrag, len, rtFlags, rtDev, rtGateway, saddr, daddr, page, frames, optSrr } =
      context.read(Skb)
    const { clockPs, net } = context.read(Cpu)
    const { sendRedirects } = context.read(InDev)
    const { jiffyPs } = context.resource(PLAN_CONSTANTS)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const icmp = context.system(icmpSend)
    const peers = context.system(inetPeers)
    const bytes = context.system(skbBytes)
    const options = context.system(ipOptions)
    const mtuOf = context.system(ipDstMtu)
    const segmentLength = context.system(gsoNetworkLength)
    const output = context.system(ipOutput)
    const hooks = hasRules(context.resource(PLAN_CONSTANTS).plan) ? context.system(nfHookSlow) : null
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)
    const flows = usesFlows(context.resource(PLAN_CONSTANTS).plan) ? context.system(skbFlow) : null
    const flow = new Flow()

    /** Kernel: net/ipv4/ip_forward.c, ip_exceeds_mtu */
    function exceedsMtu(row: number, mtu: number): boolean {
      if (len[row] <= mtu || (idFrag[row] & IP_DF) === 0) return false
      if ((flags[row] & SKB.reassembled) !== 0 && fragMax[row] > mtu) return true
      if ((flags[row] & SKB.ignoreDf) !== 0) return false
      // Segments of a merged packet are cut apart again before they leave.
      return frames[row] <= 1 || segmentLength(row) > mtu
    }

    /** Kernel: net/ipv4/route.c, ip_rt_send_redirect */
    function sendRedirect(cpu: number, row: number): void {
      if (sendRedirects[rtDev[row]] === 0) return
      const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      const peer = peers.get(cpu, saddr[row] | 0, now)
      if (!peers.redirectDue(cpu, peer, now)) return
      const gateway = (rtFlags[row] & RTCF.gateway) !== 0 ? rtGateway[row] : daddr[row]
      icmp(cpu, row, ICMP_TYPE.redirect, ICMP_CODE.redirHost, gateway)
      peers.redirectSent(peer, now)
    }

    /** Address of the device the packet leaves by. Kernel: net/ipv4/route.c, ip_rt_get_source */
    function sourceAddress(cpu: number, row: number): number {
      const at = net[cpu]
      if (flows !== null) flows.input(cpu, row, flow)
      const route = fib.find(at, daddr[row] | 0, (ipWord[row] >>> 8) & DSCP, rtDev[row], SCOPE.universe, flow)
      if (route > 0) return fib.prefsrc(at, route)
      const next = (rtFlags[row] & RTCF.gateway) !== 0 ? rtGateway[row] : daddr[row]
      return addresses.select(at, rtDev[row], next | 0, SCOPE.universe)
    }

    /** Drop place of a packet that is not passed on, or −1. */
    function check(cpu: number, row: number): number {
      if (packetType[row] !== PACKET_TYPE.host) return DROP.forwardRefused
      if (((ipWord[row] >>> 16) & 255) <= 1) {
        count.snmp(cpu, SNMP.IpInHdrErrors, 1)
        icmp(cpu, row, ICMP_TYPE.timeExceeded, ICMP_CODE.excTtl, 0)
        return DROP.forwardTtl
      }
      if ((ipcb[row] & IPSKB.strictRoute) !== 0 && (rtFlags[row] & RTCF.gateway) !== 0) {
        icmp(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.srFailed, 0)
        return DROP.forwardRefused
      }
      count.snmp(cpu, SNMP.IpForwDatagrams, 1)
      ipcb[row] |= IPSKB.forwarded
      const mtu = mtuOf(cpu, row, true)
      if (!exceedsMtu(row, mtu)) return -1
      count.snmp(cpu, SNMP.IpFragFails, 1)
      icmp(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.fragNeeded, mtu)
      return DROP.forwardTooBig
    }

    function hasSourceRoute(row: number): boolean {
      return ((ipWord[row] >>> 24) & 15) > 5 && optSrr[row] !== 0
    }

    return (cpu, row) => {
      const drop = check(cpu, row)
      if (drop >= 0) {
        kfree(cpu, row, drop)
        return
      }
      if (page[row] !== 0 && !bytes.cow(cpu, row)) {
        kfree(cpu, row, DROP.forwardRefused)
        return
      }
      ipWord[row] -= 1 << 16
      if (page[row] !== 0) bytes.decreaseTtl(row)
      if ((ipcb[row] & IPSKB.doRedirect) !== 0 && !hasSourceRoute(row)) sendRedirect(cpu, row)
      priority[row] = tosPriority(ipWord[row] >>> 8)
      if (hooks !== null && !hooks.one(NF_HOOK.forward, cpu, row, dev[row], rtDev[row])) return
      if (((ipWord[row] >>> 24) & 15) > 5 && page[row] !== 0) {
        options.forward(cpu, row, sourceAddress(cpu, row))
        bytes.sendCheck(row)
      }
      output(cpu, row)
    }
  },
)
