import { defineResource, defineSystem } from '@softnet/ecs'
import { ICMP_HLEN } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ipOptionsEcho } from '../ip/ip-options-echo.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Flow } from '../route/flow.js'
import { ifAddrs } from '../route/ifaddr.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { ICMP_ALLOW, icmpLimits } from './icmp-limit.js'
import { IcmpMessage, icmpPushReply } from './icmp-push-reply.js'
import { isIcmpError, NR_ICMP_TYPES } from './icmp-types.js'

/** Answers a packet with an ICMP message; `info` is the second word of its header, unsigned. The packet stays as it is. */
export type IcmpSend = (cpu: number, row: number, type: number, code: number, info: number) => void

/** Resource key of `icmpSend` for what ICMP itself is sent by, which cannot bind it: fragmenting, neighbours. */
export const ICMP_SEND = defineResource<IcmpSend>('icmp_send')

const IPV4_HLEN = 20
const QUOTE_BYTES = 576
const PREC_INTERNETCONTROL = 0xc0
const TOS_BITS = 0x1e
/** 192.0.0.8: the source of a host without any address. Kernel: include/uapi/linux/in.h, INADDR_DUMMY */
const DUMMY_ADDRESS = 0xc0000008 | 0

/**
 * ICMP errors: the conditions, the global limit, route and source address, the limit per peer, and as much of the
 * packet as 576 bytes hold. Kernel: net/ipv4/icmp.c, __icmp_send
 */
export const icmpSend = defineSystem<IcmpSend>('icmp_send', 'icmp', 'net/ipv4/icmp.c, __icmp_send', (context) => {
  const { IFF, IPPROTO_ICMP, IP_OFFSET, PACKET_TYPE, RTCF, SCOPE } = NUMBERS

  const { idFrag, ipWord, packetType, saddr, daddr, rtFlags, tcpWord, dev } = context.read(Skb)
  const { net } = context.read(Cpu)
  const { iff } = context.read(NetDev)
  const result = context.write(RouteResult)
  const { nets } = context.resource(PLAN_CONSTANTS)
  const useInbound = Uint8Array.from(nets, ({ ipv4 }) => ipv4.icmp_errors_use_inbound_ifaddr)
  const limits = context.system(icmpLimits)
  const bytes = context.system(skbBytes)
  const echo = context.system(ipOptionsEcho)
  const route = context.system(ipRouteOutput)
  const flow = new Flow()
  const addresses = context.system(ifAddrs)
  const push = context.system(icmpPushReply)
  const message = new IcmpMessage()

  /** Whether a packet is one that errors may be sent about. */
  function mayAnswer(row: number, type: number): boolean {
    if (packetType[row] !== PACKET_TYPE.host) return false
    if ((rtFlags[row] & (RTCF.broadcast | RTCF.multicast)) !== 0) return false
    if ((idFrag[row] & IP_OFFSET) !== 0) return false
    if (!isIcmpError(type) || (ipWord[row] & 255) !== IPPROTO_ICMP) return true
    const header = ((ipWord[row] >>> 24) & 15) * 4
    if (bytes.length(row) <= header) return false
    const inner = bytes.has(row) ? bytes.u8(row, header) : tcpWord[row] & 255
    return inner <= NR_ICMP_TYPES && !isIcmpError(inner)
  }

  function sourceFor(cpu: number, row: number): number {
    if ((rtFlags[row] & RTCF.local) !== 0) return daddr[row] | 0
    if ((rtFlags[row] & RTCF.input) === 0 || useInbound[net[cpu]] === 0) return 0
    return addresses.select(net[cpu], dev[row], saddr[row] | 0, SCOPE.link)
  }

  return (cpu, row, type, code, info) => {
    if (!mayAnswer(row, type)) return
    let allow: number = ICMP_ALLOW.unlimited
    const isLoopback = dev[row] !== 0 && (iff[dev[row]] & IFF.loopback) !== 0
    if (!isLoopback) allow = limits.globalAllow(cpu, type, code)
    if (allow === ICMP_ALLOW.no) return
    const originalTos = (ipWord[row] >>> 8) & 0xff
    const tos = isIcmpError(type) ? (originalTos & TOS_BITS) | PREC_INTERNETCONTROL : originalTos
    const options = echo(cpu, row)
    if (options === null) return
    const target = options.srr !== 0 ? options.faddr : saddr[row] | 0
    // Type and code lie where the destination's port does. The packet chooses among several next hops.
    flow.set(0, 0, IPPROTO_ICMP, 0, (type << 8) | code).packet = row
    if (route.find(cpu, target, sourceFor(cpu, row), tos, 0, flow) < 0) return
    if (!limits.peerAllow(cpu, allow, result.daddr[cpu], result.dev[cpu])) return
    const room = Math.min(result.mtu[cpu], QUOTE_BYTES) - IPV4_HLEN - options.length - ICMP_HLEN
    if (room <= IPV4_HLEN) return
    if (result.saddr[cpu] === 0) result.saddr[cpu] = DUMMY_ADDRESS
    message.type = type
    message.code = code
    message.rest = info
    message.tos = tos
    message.countedAs = type
    message.source = row
    message.dataOffset = 0
    message.dataBytes = Math.min(bytes.length(row), room)
    message.finalDestination = saddr[row] | 0
    push(cpu, message, options)
  }
})
