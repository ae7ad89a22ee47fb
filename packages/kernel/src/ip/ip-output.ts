import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { devLoopbackXmit } from '../link/dev-loopback-xmit.js'
import { neighOutput } from '../neigh/neigh-output.js'
import { hasRules, nfHookSlow } from '../netfilter/nf-hook-slow.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { SockSend } from '../sock/sock-wfree.js'
import { gsoNetworkLength } from './gso-network-length.js'
import { ipFragment } from './ip-fragment.js'

const IP_MAX_MTU = 65_535

/** Sends a packet on by its route; 0, or a negative errno. The packet is gone afterwards. */
export type IpOutput = (cpu: number, row: number) => number

/** The last step of IP: counters of what leaves, and the neighbour. Kernel: net/ipv4/ip_output.c, ip_finish_output2 */
export const ipFinishOutput2 = defineSystem<IpOutput>(
  'ip_finish_output2',
  'ip',
  'net/ipv4/ip_output.c, ip_finish_output2',
  (context) => {
    const { RTN, SNMP } = NUMBERS

    const { len, rtType } = context.read(Skb)
    const count = context.system(counters)
    const neigh = context.system(neighOutput)
    return (cpu, row) => {
      if (rtType[row] === RTN.multicast) {
        count.snmp(cpu, SNMP.IpExtOutMcastPkts, 1)
        count.snmp(cpu, SNMP.IpExtOutMcastOctets, len[row])
      } else if (rtType[row] === RTN.broadcast) {
        count.snmp(cpu, SNMP.IpExtOutBcastPkts, 1)
        count.snmp(cpu, SNMP.IpExtOutBcastOctets, len[row])
      }
      count.snmp(cpu, SNMP.IpOutTransmits, 1)
      count.snmp(cpu, SNMP.IpExtOutOctets, len[row])
      return neigh(cpu, row)
    }
  },
)

/** Largest packet a route takes, bytes. Kernel: include/net/ip.h, ip_dst_mtu_maybe_forward */
export const ipDstMtu = defineSystem<(cpu: number, row: number, forwarding: boolean) => number>(
  'ip_dst_mtu',
  'ip',
  'include/net/ip.h, ip_dst_mtu_maybe_forward',
  (context) => {
    const { rtMtu, rtDev } = context.read(Skb)
    const { mtu } = context.read(InDev)
    return (_cpu, row) => Math.min(rtMtu[row] === 0 ? mtu[rtDev[row]] : rtMtu[row], IP_MAX_MTU)
  },
)

/** Sends a packet by its device, in fragments where it is too long. Kernel: net/ipv4/ip_output.c, ip_output, ip_mc_output */
export const ipOutput = defineSystem<IpOutput>('ip_output', 'ip', 'net/ipv4/ip_output.c, ip_output', (context) => {
  const { DROP, ERRNO, IFF, IPSKB, NF_HOOK, NO_DEVICE, RTCF, SKB } = NUMBERS
  const group = RTCF.multicast | RTCF.broadcast

  const { dev, protocol } = context.write(Skb)
  const { len, ipcb, rtDev, rtFlags, ipWord, flags: skbFlags, fragMax, sock } = context.read(Skb)
  const { iff } = context.read(NetDev)
  const { multicastLoop } = context.read(SockSend)
  const mtuOf = context.system(ipDstMtu)
  const finish2 = context.system(ipFinishOutput2)
  const fragment = context.system(ipFragment)
  const segmentLength = context.system(gsoNetworkLength)
  const alloc = context.system(allocSkb)
  const kfree = context.system(kfreeSkb)
  const loop = context.system(devLoopbackXmit)
  const hooks = hasRules(context.resource(PLAN_CONSTANTS).plan) ? context.system(nfHookSlow) : null

  /** Kernel: net/ipv4/ip_output.c, __ip_finish_output */
  function finish(cpu: number, row: number): number {
    const mtu = mtuOf(cpu, row, (ipcb[row] & IPSKB.forwarded) !== 0)
    // A merged packet is cut apart behind the stack, so its segments have to fit. Kernel: ip_finish_output_gso
    if ((skbFlags[row] & SKB.gso) !== 0 && segmentLength(row) <= mtu) return finish2(cpu, row)
    // What was put together here leaves in pieces no larger than those it came in.
    const wasFragments = (skbFlags[row] & SKB.reassembled) !== 0 && fragMax[row] !== 0
    return len[row] > mtu || wasFragments ? fragment(cpu, row, mtu) : finish2(cpu, row)
  }

  /** Broadcasts, and groups the host has joined, come back to it. Kernel: net/ipv4/ip_output.c, ip_mc_output */
  function toOurselves(cpu: number, row: number): void {
    const copy = alloc.clone(cpu, row)
    if (copy === 0) return
    if (hooks !== null) {
      hooks.clone(cpu, copy, row)
      if (!hooks.one(NF_HOOK.postRouting, cpu, copy, NO_DEVICE, rtDev[copy])) return
    }
    loop(cpu, copy)
  }

  /** Kernel: net/core/sock.c, sk_mc_loop */
  function loops(row: number): boolean {
    return (skbFlags[row] & SKB.charged) === 0 || multicastLoop[sock[row]] !== 0
  }

  /** True if the packet goes no further than this host. Kernel: net/ipv4/ip_output.c, ip_mc_output */
  function mcOutput(cpu: number, row: number): boolean {
    if ((rtFlags[row] & RTCF.broadcast) !== 0) toOurselves(cpu, row)
    if ((rtFlags[row] & RTCF.multicast) === 0 || (rtFlags[row] & RTCF.local) === 0) return false
    if (loops(row)) toOurselves(cpu, row)
    if (((ipWord[row] >>> 16) & 255) !== 0) return false
    kfree(cpu, row, DROP.multicastTtl)
    return true
  }

  return (cpu, row) => {
    const out = rtDev[row]
    const from = dev[row]
    dev[row] = out
    protocol[row] = 0x0800
    // What leaves by the loopback device comes back by itself.
    if ((rtFlags[row] & group) !== 0 && (iff[out] & IFF.loopback) === 0 && mcOutput(cpu, row)) return 0
    const inDev = (ipcb[row] & IPSKB.forwarded) !== 0 ? from : NO_DEVICE
    if (hooks !== null && !hooks.one(NF_HOOK.postRouting, cpu, row, inDev, out)) return -ERRNO.EPERM
    return finish(cpu, row)
  }
})

/** A packet that the host has made and that is known to its hooks already. Kernel: net/ipv4/ip_output.c, __ip_local_out */
export const ipLocalOutHook = defineSystem<IpOutput>(
  '__ip_local_out',
  'ip',
  'net/ipv4/ip_output.c, __ip_local_out',
  (context) => {
    const { ERRNO, NF_HOOK, NO_DEVICE, SNMP } = NUMBERS

    const { totLen } = context.write(Skb)
    const { len, page, rtDev } = context.read(Skb)
    const count = context.system(counters)
    const bytes = context.system(skbBytes)
    const output = context.system(ipOutput)
    const hooks = hasRules(context.resource(PLAN_CONSTANTS).plan) ? context.system(nfHookSlow) : null
    return (cpu, row) => {
      count.snmp(cpu, SNMP.IpOutRequests, 1)
      totLen[row] = len[row]
      if (page[row] !== 0) bytes.sendCheck(row)
      if (hooks !== null && !hooks.one(NF_HOOK.localOut, cpu, row, NO_DEVICE, rtDev[row])) return -ERRNO.EPERM
      return output(cpu, row)
    }
  },
)

/** Sends a packet that the host has made as an answer to the packet `of`; both are of one connection. */
export type IpLocalOutFor = (cpu: number, row: number, of: number) => number

/** Kernel: net/ipv4/ip_output.c, ip_local_out (behind nf_ct_attach) */
export const ipLocalOutFor = defineSystem<IpLocalOutFor>(
  'ip_local_out_for',
  'ip',
  'net/ipv4/ip_output.c, ip_local_out',
  (context) => {
    const out = context.system(ipLocalOutHook)
    const hooks = hasRules(context.resource(PLAN_CONSTANTS).plan) ? context.system(nfHookSlow) : null
    return (cpu, row, of) => {
      if (hooks !== null) hooks.begin(cpu, row, of)
      return out(cpu, row)
    }
  },
)

/** Sends a packet that the host has made. Kernel: net/ipv4/ip_output.c, ip_local_out */
export const ipLocalOut = defineSystem<IpOutput>(
  'ip_local_out',
  'ip',
  'net/ipv4/ip_output.c, ip_local_out',
  (context) => {
    const out = context.system(ipLocalOutFor)
    return (cpu, row) => out(cpu, row, 0)
  },
)
