import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ipLocalOutFor } from '../ip/ip-output.js'
import { NUMBERS } from '../numbers.js'
import { fibLookup } from '../route/fib-lookup.js'
import { ipRouteInput } from '../route/ip-route-input.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { tcpReset } from '../tcp/tcp-reset.js'
import { nfIpChecksum } from './nf-ip-checksum.js'

/** Sends the reset that a rule answers a segment with; the segment stays as it is. */
export type NfSendReset = (cpu: number, row: number) => void

const IPV4_HLEN = 20
const TCP_HLEN = 20
const RST = 4

/** Kernel: net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset */
export const nfSendReset = defineSystem<NfSendReset>(
  'nf_send_reset',
  'netfilter',
  'net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset',
  (context) => {
    const { FAULT_L4_SHORT, IPPROTO_TCP, IP_DF, IP_OFFSET, RTCF, RTN, SKB } = NUMBERS

    const { saddr, daddr, ipWord, idFrag, totLen, flags, faults, tcpWord, len, rtFlags } = context.write(Skb)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const alloc = context.system(allocSkb)
    const fib = context.system(fibLookup)
    const routeIn = context.system(ipRouteInput)
    const route = context.system(ipRouteOutput)
    const setDst = context.system(skbDstSet)
    const segment = context.system(tcpReset)
    const out = context.system(ipLocalOutFor)
    const checksum = context.system(nfIpChecksum)

    /** Whether a packet is a segment that may be answered. Kernel: nf_reject_ip_tcphdr_get */
    function mayAnswer(row: number): boolean {
      if ((idFrag[row] & IP_OFFSET) !== 0 || (ipWord[row] & 255) !== IPPROTO_TCP) return false
      if ((faults[row] & FAULT_L4_SHORT) !== 0 || (tcpWord[row] & RST) !== 0) return false
      return checksum.isRight(row)
    }

    return (cpu, of) => {
      if (!mayAnswer(of)) return
      // Before it is routed, the segment is routed for this.
      if (rtFlags[of] === 0 && routeIn(cpu, of, daddr[of] | 0) < 0) return
      if ((rtFlags[of] & (RTCF.broadcast | RTCF.multicast)) !== 0) return
      const own = daddr[of] | 0
      const isLocal = fib.addressType(net[cpu], own, 0) === RTN.local
      if (route.find(cpu, saddr[of] | 0, isLocal ? own : 0, 0, 0) < 0) return
      const row = alloc.make(cpu, IPV4_HLEN + TCP_HLEN, true)
      if (row === 0) return
      setDst(cpu, row)
      saddr[row] = daddr[of]
      daddr[row] = saddr[of]
      ipWord[row] = (IPPROTO_TCP | (ttls[net[cpu]] << 16) | (5 << 24) | (4 << 28)) >>> 0
      idFrag[row] = IP_DF
      totLen[row] = IPV4_HLEN + TCP_HLEN
      flags[row] = SKB.noEthernet
      segment(row, IPV4_HLEN, of, len[of] - ((ipWord[of] >>> 24) & 15) * 4)
      out(cpu, row, of)
    }
  },
)
