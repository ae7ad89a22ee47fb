import { defineSystem } from '@softnet/ecs'
import { IP_DF, IPPROTO_TCP } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { SNMP } from '../count/snmp.js'
import { Cpu } from '../cpu/components.js'
import { ipOptionsBuild } from '../ip/ip-options-build.js'
import { ipOptionsEcho } from '../ip/ip-options-echo.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { RTN } from '../route/components.js'
import { Flow } from '../route/flow.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { SKB, Skb } from '../skb/components.js'
import { tcpReset } from './tcp-reset.js'

/** Answers a segment that no socket takes; the segment stays as it is, with its IP header pulled. */
export type TcpSendReset = (cpu: number, row: number) => void

const IPV4_HLEN = 20
const TCP_HLEN = 20
const RST = 4
const ECN = 3

/** Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_send_reset; net/ipv4/ip_output.c, ip_send_unicast_reply */
export const tcpSendReset = defineSystem<TcpSendReset>(
  'tcp_v4_send_reset',
  'tcp',
  'net/ipv4/tcp_ipv4.c, tcp_v4_send_reset',
  (context) => {
    const s = context.write(Skb)
    const { saddr, daddr, ipWord, idFrag, totLen, tcpWord, flags, len, ports, rtType } = s
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const count = context.system(counters)
    const alloc = context.system(allocSkb)
    const segment = context.system(tcpReset)
    const route = context.system(ipRouteOutput)
    const flow = new Flow()
    const setDst = context.system(skbDstSet)
    const echo = context.system(ipOptionsEcho)
    const buildOptions = context.system(ipOptionsBuild)
    const out = context.system(ipLocalOut)

    /** Kernel: net/ipv4/ip_output.c, ip_send_unicast_reply */
    function reply(cpu: number, of: number): void {
      const options = echo(cpu, of)
      if (options === null) return
      const sender = saddr[of] | 0
      const tos = (ipWord[of] >>> 8) & 255 & ~ECN
      flow.set(0, 0, IPPROTO_TCP, ports[of] & 0xffff, ports[of] >>> 16)
      if (route.find(cpu, options.srr !== 0 ? options.faddr : sender, daddr[of] | 0, tos, 0, flow) < 0) return
      const header = IPV4_HLEN + options.length
      const row = alloc.make(cpu, header + TCP_HLEN, true)
      if (row === 0) return
      setDst(cpu, row)
      saddr[row] = result.saddr[cpu]
      daddr[row] = sender
      ipWord[row] =
        (IPPROTO_TCP |
          (tos << 8) |
          ((result.hoplimit[cpu] || ttls[net[cpu]]) << 16) |
          ((header / 4) << 24) |
          (4 << 28)) >>>
        0
      idFrag[row] = IP_DF
      totLen[row] = header + TCP_HLEN
      flags[row] = SKB.noEthernet
      if (options.length > 0) buildOptions(cpu, row, options, sender)
      segment(row, header, of, len[of])
      if (out(cpu, row) < 0) count.snmp(cpu, SNMP.IpOutDiscards, 1)
    }

    return (cpu, of) => {
      if ((tcpWord[of] & RST) !== 0 || rtType[of] !== RTN.local) return
      reply(cpu, of)
      count.snmp(cpu, SNMP.TcpOutSegs, 1)
      count.snmp(cpu, SNMP.TcpOutRsts, 1)
    }
  },
)
