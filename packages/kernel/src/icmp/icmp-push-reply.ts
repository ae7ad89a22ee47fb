import { defineSystem } from '@softnet/ecs'
import { checksumPartial, ICMP_HLEN } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { ipSelectIdent } from '../ip/ip-ident.js'
import { ipOptionsBuild } from '../ip/ip-options-build.js'
import type { EchoedOptions } from '../ip/ip-options-echo.js'
import { ipLocalOutFor } from '../ip/ip-output.js'
import { NUMBERS } from '../numbers.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { ICMP_OUT_COUNTERS, isIcmpError } from './icmp-types.js'

const IPV4_HLEN = 20
const IP_MAX_BYTES = 65_535

/** One ICMP message to be sent; the record is filled again for each. */
export class IcmpMessage {
  type = 0
  code = 0
  /** Second word of the header, unsigned. */
  rest = 0
  tos = 0
  /** Type it is counted under: replies are counted as echo replies, whatever they are. */
  countedAs = 0
  /** Packet whose bytes follow the header: `dataBytes` of them from `dataOffset` on. */
  source = 0
  dataOffset = 0
  dataBytes = 0
  /** Bytes of the header that are not from `source`: 8, or 20 for time stamps. */
  headBytes = ICMP_HLEN
  /** Originate, receive and transmit time of a timestamp reply. */
  times = new Uint32Array(3)
  /** Final destination, signed: a source route's last hop. */
  finalDestination = 0
}

/** Sends a message by the route in `RouteResult` of its CPU. Kernel: net/ipv4/icmp.c, icmp_push_reply */
export type IcmpPushReply = (cpu: number, message: IcmpMessage, options: EchoedOptions) => void

/** Makes an ICMP message and hands it to IP. Kernel: net/ipv4/icmp.c, icmp_push_reply; net/ipv4/ip_output.c, __ip_make_skb */
export const icmpPushReply = defineSystem<IcmpPushReply>(
  'icmp_push_reply',
  'icmp',
  'net/ipv4/icmp.c, icmp_push_reply',
  (context) => {
    const { IPPROTO_ICMP, RTN, SKB, SNMP } = NUMBERS

    const s = context.write(Skb)
    const { saddr, daddr, ipWord, idFrag, totLen, tcpWord, tcpSeq, payload, flags, page } = s
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(nets, (each) => each.ipv4.ip_default_ttl)
    const alloc = context.system(allocSkb)
    const pages = context.system(packetPages)
    const bytes = context.system(skbBytes)
    const ident = context.system(ipSelectIdent)
    const setDst = context.system(skbDstSet)
    const out = context.system(ipLocalOutFor)
    const buildOptions = context.system(ipOptionsBuild)
    const count = context.system(counters)

    function writeMessage(row: number, at: number, message: IcmpMessage): void {
      const { source, dataOffset, dataBytes, headBytes, times } = message
      const view = pages.view
      const base = pages.first(page[row])
      view.setUint8(base + at, message.type)
      view.setUint8(base + at + 1, message.code)
      view.setUint16(base + at + 2, 0)
      view.setUint32(base + at + 4, message.rest)
      for (let i = 0; i < (headBytes - ICMP_HLEN) / 4; i++) view.setUint32(base + at + ICMP_HLEN + 4 * i, times[i])
      if (dataBytes > 0) bytes.copyFrom(source, dataOffset, view, base + at + headBytes, dataBytes)
      const all = headBytes + dataBytes
      // The kernel adds from ~0 on, so that nothing but zeros sums up to 0xffff.
      view.setUint16(base + at + 2, ~(checksumPartial(view, base + at, all, 0) || 0xffff) & 0xffff)
    }

    return (cpu, message, options) => {
      const { headBytes, dataBytes, type, code } = message
      const header = IPV4_HLEN + options.length
      const all = header + headBytes + dataBytes
      // A virtual request has a virtual reply: its length and pattern say everything.
      const isReal = message.countedAs !== 0 || bytes.has(message.source) || headBytes !== ICMP_HLEN
      const row = all > IP_MAX_BYTES ? 0 : alloc.make(cpu, all, isReal)
      if (row === 0) {
        count.snmp(cpu, SNMP.IcmpOutErrors, 1)
        return
      }
      setDst(cpu, row)
      const ttl = result.type[cpu] === RTN.multicast ? 1 : result.hoplimit[cpu] || ttls[net[cpu]]
      saddr[row] = result.saddr[cpu]
      daddr[row] = result.daddr[cpu]
      ipWord[row] = (IPPROTO_ICMP | (message.tos << 8) | (ttl << 16) | ((header / 4) << 24) | (4 << 28)) >>> 0
      idFrag[row] = (ident(cpu, result.saddr[cpu], result.daddr[cpu], IPPROTO_ICMP, 1) << 16) >>> 0
      totLen[row] = all
      tcpWord[row] = type | (code << 8)
      tcpSeq[row] = message.rest
      payload[row] = headBytes - ICMP_HLEN + dataBytes
      flags[row] = SKB.ignoreDf | SKB.noEthernet
      if (isReal) {
        if (options.length > 0) buildOptions(cpu, row, options, message.finalDestination)
        writeMessage(row, header, message)
      }
      count.snmp(cpu, SNMP.IcmpOutMsgs, 1)
      const counter = ICMP_OUT_COUNTERS[message.countedAs]
      if (counter !== 0xffff) count.snmp(cpu, counter, 1)
      count.icmpMsg(cpu, message.countedAs, true)
      const of = isIcmpError(type) ? message.source : 0
      if (out(cpu, row, of) < 0) count.snmp(cpu, SNMP.IpOutDiscards, 1)
    }
  },
)
