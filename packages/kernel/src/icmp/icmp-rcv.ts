import { defineSystem } from '@softnet/ecs'
import { FAULT_L4_SHORT, ICMP_HLEN, IPPROTO_TCP, IPPROTO_UDP } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { DROP } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { RTCF, RTN } from '../route/components.js'
import { fibLookup } from '../route/fib-lookup.js'
import { SKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { udpErr } from '../udp/udp-err.js'
import { icmpReply } from './icmp-reply.js'
import { ICMP_CODE, ICMP_IN_COUNTERS, ICMP_TYPE, NR_ICMP_TYPES } from './icmp-types.js'

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
    const { faults, flags, len, tcpWord, ipWord, rtFlags } = context.read(Skb)
    const { host } = context.read(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const ignoreAll = Uint8Array.from(plan.hosts, ({ ipv4 }) => ipv4.icmp_echo_ignore_all)
    const ignoreBroadcasts = Uint8Array.from(plan.hosts, ({ ipv4 }) => ipv4.icmp_echo_ignore_broadcasts)
    const ignoreBogus = Uint8Array.from(plan.hosts, ({ ipv4 }) => ipv4.icmp_ignore_bogus_error_responses)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const reply = context.system(icmpReply)
    const bytes = context.system(skbBytes)
    const fib = context.system(fibLookup)
    const udp = context.system(udpErr)

    function error(cpu: number, drop: number): number {
      count.snmp(cpu, SNMP.IcmpInErrors, 1)
      return drop
    }

    /** Drop place of what a broadcast or group may not carry, or −1. */
    function toEverybody(cpu: number, type: number): number {
      const isQuery = type === ICMP_TYPE.echo || type === ICMP_TYPE.timestamp
      if (isQuery && ignoreBroadcasts[host[cpu]] !== 0) return error(cpu, DROP.icmpInvalid)
      if (isQuery || type === ICMP_TYPE.address || type === ICMP_TYPE.addressReply) return -1
      return error(cpu, DROP.icmpInvalid)
    }

    /** Hands an error to the protocol that it quotes. Kernel: net/ipv4/icmp.c, icmp_socket_deliver */
    function deliverError(cpu: number, row: number, quoteAt: number, quotedBytes: number): void {
      // Of a virtual packet nothing is quoted, so nobody here can have sent it.
      const header = bytes.has(row) ? (bytes.u8(row, quoteAt) & 15) * 4 : IPV4_HEADER_BYTES
      const protocol = bytes.has(row) ? bytes.u8(row, quoteAt + 9) : IPPROTO_UDP
      if (quotedBytes < header + QUOTED_BYTES) {
        count.snmp(cpu, SNMP.IcmpInErrors, 1)
        return
      }
      // Quotes of ICMP only bring news of routes; those of UDP and TCP have to find a socket, and there is none of TCP.
      const isKnown = protocol === IPPROTO_UDP && bytes.has(row) && udp(cpu, row, quoteAt, quoteAt + header)
      const wantsSocket = protocol === IPPROTO_UDP || protocol === IPPROTO_TCP
      if (wantsSocket && !isKnown) count.snmp(cpu, SNMP.IcmpInErrors, 1)
    }

    /** Kernel: net/ipv4/icmp.c, icmp_unreach */
    function unreach(cpu: number, row: number, type: number, code: number): number {
      const quotedBytes = len[row] - ICMP_HLEN
      if (quotedBytes < IPV4_HEADER_BYTES) return error(cpu, DROP.icmpShort)
      const quoteAt = ((ipWord[row] >>> 24) & 15) * 4 + ICMP_HLEN
      if (bytes.has(row) && (bytes.u8(row, quoteAt) & 15) < 5) return error(cpu, DROP.icmpHeader)
      if (type === ICMP_TYPE.destUnreach && code > NR_ICMP_UNREACH) return -1
      if (type === ICMP_TYPE.timeExceeded && code === ICMP_CODE.excFragTime) return -1
      const isBogus = ignoreBogus[host[cpu]] === 0 && isBroadcast(cpu, bytes.u32(row, quoteAt + 16))
      if (!isBogus) deliverError(cpu, row, quoteAt, quotedBytes)
      return -1
    }

    function isBroadcast(cpu: number, address: number): boolean {
      return fib.addressType(host[cpu], address | 0, 0) === RTN.broadcast
    }

    /** Kernel: net/ipv4/icmp.c, icmp_pointers[].handler */
    function handle(cpu: number, row: number, type: number, code: number): number {
      switch (type) {
        case ICMP_TYPE.echo:
          if (ignoreAll[host[cpu]] === 0) reply.echo(cpu, row)
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
          deliverError(cpu, row, ((ipWord[row] >>> 24) & 15) * 4 + ICMP_HLEN, quotedBytes)
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
      if (type === ICMP_TYPE.echoReply || type === ICMP_TYPE.extEchoReply) return DROP.pingNoSocket
      if (type > NR_ICMP_TYPES) return error(cpu, DROP.icmpUnhandled)
      return handle(cpu, row, type, (tcpWord[row] >>> 8) & 255)
    }

    return (cpu, row) => {
      spend(cpu, STAGE.icmp_rcv, 1)
      const drop = receive(cpu, row)
      if (drop >= 0) kfree(cpu, row, drop)
      else consume(cpu, row)
    }
  },
)
