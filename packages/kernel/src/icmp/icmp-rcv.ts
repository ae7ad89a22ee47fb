import { defineSystem } from '@softnet/ecs'
import { ICMP_HLEN } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { usesRaw } from '../raw/components.js'
import { rawInput, TAKEN } from '../raw/raw-v4-input.js'
import { FibRoute } from '../route/components.js'
import { fibExceptions } from '../route/fib-exceptions.js'
import { fibLookup } from '../route/fib-lookup.js'
import { Flow } from '../route/flow.js'
import { ipDoRedirect } from '../route/ip-do-redirect.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { Sock } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { udpErr } from '../udp/udp-err.js'
import { icmpReply } from './icmp-reply.js'
import { ICMP_IN_COUNTERS, NR_ICMP_TYPES } from './icmp-types.js'

const IPV4_HEADER_BYTES = 20
/** Bytes of the quoted protocol header that an error has to bring. */
const QUOTED_BYTES = 8
/** Bytes a timestamp request needs behind its header. */
const TIMESTAMP_BYTES = 4
const NR_ICMP_UNREACH = 15
const NO_COUNTER = 0xffff

/**
 * Takes one ICMP message and ends it: answered, used up, or dropped with Linux's reason. The low 8 bits of `Skb.tcpWord`
 * are the type of an ICMP message and the next 8 its code, `Skb.tcpSeq` is the second word of its header; whoever parses
 * or makes the packet writes them so. Kernel: net/ipv4/icmp.c, icmp_rcv
 */
export const icmpRcv = defineSystem<(cpu: number, row: number) => void>(
  'icmp_rcv',
  'icmp',
  'net/ipv4/icmp.c, icmp_rcv',
  (context) => {
    const {
      DROP,
      FAULT_L4_SHORT,
      ICMP_CODE,
      ICMP_TYPE,
      IPPROTO_ICMP,
      IPPROTO_TCP,
      IPPROTO_UDP,
      RTCF,
      RTN,
      SKB,
      SNMP,
      STAGE,
    } = NUMBERS

    const { faults, flags, len, tcpWord, tcpSeq, ipWord, rtFlags } = context.read(Skb)
    const { net } = context.read(Cpu)
    const { nets, plan } = context.resource(PLAN_CONSTANTS)
    const raw = usesRaw(plan) ? context.system(rawInput) : null
    const ignoreAll = Uint8Array.from(nets, ({ ipv4 }) => ipv4.icmp_echo_ignore_all)
    const ignoreBroadcasts = Uint8Array.from(nets, ({ ipv4 }) => ipv4.icmp_echo_ignore_broadcasts)
    const ignoreBogus = Uint8Array.from(nets, ({ ipv4 }) => ipv4.icmp_ignore_bogus_error_responses)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const reply = context.system(icmpReply)
    const bytes = context.system(skbBytes)
    const fib = context.system(fibLookup)
    const udp = context.system(udpErr)
    const route = context.system(ipRouteOutput)
    const flow = new Flow()
    const result = context.read(RouteResult)
    const exceptions = context.system(fibExceptions)
    const redirect = context.system(ipDoRedirect)
    const { boundDev } = context.read(Sock)
    const { firstPath, nextPath, mtuLocked: routeLocked } = context.read(FibRoute)
    const { tos } = context.read(SockSend)
    const noPmtuDisc = Uint8Array.from(nets, ({ ipv4 }) => ipv4.ip_no_pmtu_disc)

    function error(cpu: number, drop: number): number {
      count.snmp(cpu, SNMP.IcmpInErrors, 1)
      return drop
    }

    /** Drop place of what a broadcast or group may not carry, or −1. */
    function toEverybody(cpu: number, type: number): number {
      const isQuery = type === ICMP_TYPE.echo || type === ICMP_TYPE.timestamp
      if (isQuery && ignoreBroadcasts[net[cpu]] !== 0) return error(cpu, DROP.icmpInvalid)
      if (isQuery || type === ICMP_TYPE.address || type === ICMP_TYPE.addressReply) return -1
      return error(cpu, DROP.icmpInvalid)
    }

    function isTooBig(row: number): boolean {
      return (tcpWord[row] & 0xffff) === (ICMP_TYPE.destUnreach | (ICMP_CODE.fragNeeded << 8))
    }

    /** Looks up the way that a quoted packet went; false if there is none. Kernel: net/ipv4/route.c, __build_flow_key */
    function findWay(cpu: number, row: number, quoteAt: number, sock: number): boolean {
      const source = bytes.u32(row, quoteAt + 12) | 0
      const target = bytes.u32(row, quoteAt + 16) | 0
      const ofSocket = sock !== 0
      const type = ofSocket ? tos[sock] : bytes.u8(row, quoteAt + 1)
      flow.set(0, 0, ofSocket ? IPPROTO_UDP : IPPROTO_ICMP, 0, 0)
      return route.find(cpu, target, source, type, ofSocket ? boundDev[sock] : 0, flow) === 0 && result.route[cpu] !== 0
    }

    /** Kernel: net/ipv4/route.c, ipv4_update_pmtu, ipv4_sk_update_pmtu */
    function updatePmtu(cpu: number, row: number, quoteAt: number, sock: number, mtu: number): void {
      if (!findWay(cpu, row, quoteAt, sock)) return
      const target = bytes.u32(row, quoteAt + 16) | 0
      const found = result.route[cpu]
      if (routeLocked[found] !== 0) return
      // Whatever next hop is taken later, the way is as narrow.
      for (let path = firstPath[found] || found; path !== 0; path = nextPath[path])
        exceptions.learn(cpu, path, target, mtu, result.mtu[cpu])
    }

    /** What a router says of the way, or −1 if it is not listened to. Kernel: net/ipv4/icmp.c, icmp_unreach */
    function infoOf(cpu: number, row: number, type: number, code: number, quoteAt: number): number {
      if (type !== ICMP_TYPE.destUnreach || code !== ICMP_CODE.fragNeeded) return 0
      const setting = noPmtuDisc[net[cpu]]
      // With 3 only protocols are told that check what is quoted: TCP.
      const isChecked = bytes.has(row) && bytes.u8(row, quoteAt + 9) === IPPROTO_TCP
      if (setting === 2 || (setting === 3 && !isChecked)) return -1
      return setting !== 1 ? tcpSeq[row] & 0xffff : 0
    }

    /** Hands an error to the protocol that it quotes. Kernel: net/ipv4/icmp.c, icmp_socket_deliver */
    function deliverError(cpu: number, row: number, quoteAt: number, quotedBytes: number, info: number): void {
      // Of a virtual packet nothing is quoted, so nobody here can have sent it.
      const header = bytes.has(row) ? (bytes.u8(row, quoteAt) & 15) * 4 : IPV4_HEADER_BYTES
      const protocol = bytes.has(row) ? bytes.u8(row, quoteAt + 9) : IPPROTO_UDP
      if (quotedBytes < header + QUOTED_BYTES) {
        count.snmp(cpu, SNMP.IcmpInErrors, 1)
        return
      }
      if (!bytes.has(row)) {
        count.snmp(cpu, SNMP.IcmpInErrors, 1)
        return
      }
      // Quotes of ICMP only bring news of routes; those of UDP and TCP have to find a socket, and there is none of TCP.
      const sock = protocol === IPPROTO_UDP ? udp.sender(cpu, row, quoteAt, quoteAt + header) : 0
      if (sock === 0 && (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP)) {
        count.snmp(cpu, SNMP.IcmpInErrors, 1)
        return
      }
      const acceptsPmtu = sock !== 0 && udp.tell(cpu, row, sock)
      if (isTooBig(row) && (acceptsPmtu || isOwnEcho(row, protocol, quoteAt + header)))
        updatePmtu(cpu, row, quoteAt, sock, info)
      const isRedirect = (tcpWord[row] & 255) === ICMP_TYPE.redirect
      if (isRedirect && (sock !== 0 || isOwnEcho(row, protocol, quoteAt + header)) && findWay(cpu, row, quoteAt, sock))
        redirect(cpu, row, bytes.u32(row, quoteAt + 16) | 0)
    }

    /** Whether something that the host itself sends is quoted: of ICMP, it sends nothing but answers. Kernel: net/ipv4/icmp.c, icmp_err */
    function isOwnEcho(row: number, protocol: number, headerAt: number): boolean {
      return protocol === IPPROTO_ICMP && bytes.u8(row, headerAt) === ICMP_TYPE.echoReply
    }

    /** Kernel: net/ipv4/icmp.c, icmp_unreach */
    function unreach(cpu: number, row: number, type: number, code: number): number {
      const quotedBytes = len[row] - ICMP_HLEN
      if (quotedBytes < IPV4_HEADER_BYTES) return error(cpu, DROP.icmpShort)
      const quoteAt = ((ipWord[row] >>> 24) & 15) * 4 + ICMP_HLEN
      if (bytes.has(row) && (bytes.u8(row, quoteAt) & 15) < 5) return error(cpu, DROP.icmpHeader)
      if (type === ICMP_TYPE.destUnreach && code > NR_ICMP_UNREACH) return -1
      if (type === ICMP_TYPE.timeExceeded && code === ICMP_CODE.excFragTime) return -1
      const isBogus = ignoreBogus[net[cpu]] === 0 && isBroadcast(cpu, bytes.u32(row, quoteAt + 16))
      const info = infoOf(cpu, row, type, code, quoteAt)
      if (!isBogus && info >= 0) deliverError(cpu, row, quoteAt, quotedBytes, info)
      return -1
    }

    function isBroadcast(cpu: number, address: number): boolean {
      return fib.addressType(net[cpu], address | 0, 0) === RTN.broadcast
    }

    /** Kernel: net/ipv4/icmp.c, icmp_pointers[].handler */
    function handle(cpu: number, row: number, type: number, code: number): number {
      switch (type) {
        case ICMP_TYPE.echo:
          if (ignoreAll[net[cpu]] === 0) reply.echo(cpu, row)
          return -1
        case ICMP_TYPE.timestamp:
          if (len[row] - ICMP_HLEN < TIMESTAMP_BYTES) return error(cpu, DROP.icmpTooSmall)
          reply.timestamp(cpu, row)
          return -1
        case ICMP_TYPE.destUnreach:
        case ICMP_TYPE.sourceQuench:
        case ICMP_TYPE.timeExceeded:
        case ICMP_TYPE.parameterProblem:
          return unreach(cpu, row, type, code)
        case ICMP_TYPE.redirect: {
          const quotedBytes = len[row] - ICMP_HLEN
          if (quotedBytes < IPV4_HEADER_BYTES) return error(cpu, DROP.icmpTooSmall)
          deliverError(cpu, row, ((ipWord[row] >>> 24) & 15) * 4 + ICMP_HLEN, quotedBytes, 0)
          return -1
        }
        default:
          return -1
      }
    }

    function receive(cpu: number, row: number): number {
      count.snmp(cpu, SNMP.IcmpInMsgs, 1)
      if ((flags[row] & (SKB.csumBad | SKB.csumUnnecessary)) === SKB.csumBad) {
        count.snmp(cpu, SNMP.IcmpInCsumErrors, 1)
        return error(cpu, DROP.icmpCsum)
      }
      if ((faults[row] & FAULT_L4_SHORT) !== 0 || len[row] < ICMP_HLEN) return error(cpu, DROP.icmpShort)
      const type = tcpWord[row] & 255
      count.icmpMsg(cpu, type, false)
      if (ICMP_IN_COUNTERS[type] !== NO_COUNTER) count.snmp(cpu, ICMP_IN_COUNTERS[type], 1)
      if (type === ICMP_TYPE.extEcho) return -1
      if ((rtFlags[row] & (RTCF.broadcast | RTCF.multicast)) !== 0) {
        const drop = toEverybody(cpu, type)
        if (drop >= 0) return drop
      }
      if (type === ICMP_TYPE.echoReply || type === ICMP_TYPE.extEchoReply)
        return raw === null ? DROP.pingNoSocket : raw.pingRcv(cpu, row)
      if (type > NR_ICMP_TYPES) return error(cpu, DROP.icmpUnhandled)
      return handle(cpu, row, type, (tcpWord[row] >>> 8) & 255)
    }

    return (cpu, row) => {
      spend(cpu, STAGE.icmp_rcv, 1)
      const drop = receive(cpu, row)
      if (drop >= 0) kfree(cpu, row, drop)
      else if (drop !== TAKEN) consume(cpu, row)
    }
  },
)
