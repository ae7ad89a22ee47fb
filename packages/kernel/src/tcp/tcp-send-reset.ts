import { defineSystem } from '@softnet/ecs'
import { checksumPartial, IP_DF, IPPROTO_TCP, pseudoHeaderSum } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { SNMP } from '../count/snmp.js'
import { Cpu } from '../cpu/components.js'
import { ipOptionsBuild } from '../ip/ip-options-build.js'
import { ipOptionsEcho } from '../ip/ip-options-echo.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { RTN } from '../route/components.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { SKB, Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'

/** Answers a segment that no socket takes; the segment stays as it is, with its IP header pulled. */
export type TcpSendReset = (cpu: number, row: number) => void

const IPV4_HLEN = 20
const TCP_HLEN = 20
const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const
const ECN = 3

/** Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_send_reset; net/ipv4/ip_output.c, ip_send_unicast_reply */
export const tcpSendReset = defineSystem<TcpSendReset>(
  'tcp_v4_send_reset',
  'tcp',
  'net/ipv4/tcp_ipv4.c, tcp_v4_send_reset',
  (context) => {
    const s = context.write(Skb)
    const { saddr, daddr, ports, ipWord, idFrag, totLen, tcpSeq, tcpAck, tcpWord, flags, len, page, rtType } = s
    const result = context.read(RouteResult)
    const { host } = context.read(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(plan.hosts, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const count = context.system(counters)
    const alloc = context.system(allocSkb)
    const pages = context.system(packetPages)
    const route = context.system(ipRouteOutput)
    const setDst = context.system(skbDstSet)
    const echo = context.system(ipOptionsEcho)
    const buildOptions = context.system(ipOptionsBuild)
    const out = context.system(ipLocalOut)

    function writePage(row: number, at: number): void {
      const { view } = pages
      const start = pages.first(page[row]) + at
      view.setUint32(start, ports[row])
      view.setUint32(start + 4, tcpSeq[row])
      view.setUint32(start + 8, tcpAck[row])
      view.setUint16(start + 12, (TCP_HLEN << 10) | (tcpWord[row] & 0x1ff))
      view.setUint32(start + 14, 0)
      view.setUint16(start + 18, 0)
      const pseudo = pseudoHeaderSum(saddr[row], daddr[row], IPPROTO_TCP, TCP_HLEN)
      view.setUint16(start + 16, ~checksumPartial(view, start, TCP_HLEN, pseudo) & 0xffff)
    }

    /** Numbers of the answer: it stands where the segment's receiver would go on. */
    function setSegment(row: number, of: number): void {
      const given = tcpWord[of]
      const hasAck = (given & FLAG.ack) !== 0
      const data = len[of] - ((given >>> 12) & 15) * 4
      const control = ((given >>> 1) & 1) + (given & FLAG.fin)
      ports[row] = ((ports[of] << 16) | (ports[of] >>> 16)) >>> 0
      tcpSeq[row] = hasAck ? tcpAck[of] : 0
      tcpAck[row] = hasAck ? 0 : (tcpSeq[of] + control + data) >>> 0
      tcpWord[row] = (hasAck ? FLAG.rst : FLAG.rst | FLAG.ack) | ((TCP_HLEN / 4) << 12)
    }

    /** Kernel: net/ipv4/ip_output.c, ip_send_unicast_reply */
    function reply(cpu: number, of: number): void {
      const options = echo(cpu, of)
      if (options === null) return
      const sender = saddr[of] | 0
      const tos = (ipWord[of] >>> 8) & 255 & ~ECN
      if (route.find(cpu, options.srr !== 0 ? options.faddr : sender, daddr[of] | 0, tos, 0) < 0) return
      const header = IPV4_HLEN + options.length
      const row = alloc.make(cpu, header + TCP_HLEN, true)
      if (row === 0) return
      setDst(cpu, row)
      saddr[row] = result.saddr[cpu]
      daddr[row] = sender
      ipWord[row] = (IPPROTO_TCP | (tos << 8) | (ttls[host[cpu]] << 16) | ((header / 4) << 24) | (4 << 28)) >>> 0
      idFrag[row] = IP_DF
      totLen[row] = header + TCP_HLEN
      flags[row] = SKB.noEthernet
      setSegment(row, of)
      if (options.length > 0) buildOptions(cpu, row, options, sender)
      writePage(row, header)
      if (out(cpu, row) < 0) count.snmp(cpu, SNMP.IpOutDiscards, 1)
    }

    return (cpu, of) => {
      if ((tcpWord[of] & FLAG.rst) !== 0 || rtType[of] !== RTN.local) return
      reply(cpu, of)
      count.snmp(cpu, SNMP.TcpOutSegs, 1)
      count.snmp(cpu, SNMP.TcpOutRsts, 1)
    }
  },
)
