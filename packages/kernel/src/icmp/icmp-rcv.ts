import { defineSystem } from '@softnet/ecs'
import { FAULT_L4_SHORT, ICMP_HLEN } from '@softnet/wire'
import { counters } from '../count/counters.js'
import { DROP } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { STAGE } from '../cpu/stage-ids.js'
import { SKB, Skb } from '../skb/components.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'

/** Message types. Kernel: include/uapi/linux/icmp.h */
const TYPE = {
  echoReply: 0,
  destUnreach: 3,
  sourceQuench: 4,
  redirect: 5,
  echo: 8,
  timeExceeded: 11,
  parameterProblem: 12,
  timestamp: 13,
  address: 17,
  addressReply: 18,
  extEcho: 42,
  extEchoReply: 43,
} as const

const TYPE_MAX = 18
const IPV4_HEADER_BYTES = 20
/** Bytes a timestamp request needs behind its header. */
const TIMESTAMP_BYTES = 4
const NO_COUNTER = 0xffff

/** Counter in /proc/net/snmp of each message type; types without one are left out there. */
const TYPE_COUNTERS: Readonly<Record<number, number>> = {
  0: SNMP.IcmpInEchoReps,
  3: SNMP.IcmpInDestUnreachs,
  4: SNMP.IcmpInSrcQuenchs,
  5: SNMP.IcmpInRedirects,
  8: SNMP.IcmpInEchos,
  11: SNMP.IcmpInTimeExcds,
  12: SNMP.IcmpInParmProbs,
  13: SNMP.IcmpInTimestamps,
  14: SNMP.IcmpInTimestampReps,
  17: SNMP.IcmpInAddrMasks,
  18: SNMP.IcmpInAddrMaskReps,
}

/**
 * Takes one ICMP message and ends it: used up, or dropped with Linux's reason. The low 8 bits of `Skb.tcpWord` are the
 * type of an ICMP message and the next 8 its code; whoever parses or makes the packet writes them so.
 * Kernel: net/ipv4/icmp.c, icmp_rcv
 */
export const icmpRcv = defineSystem<(cpu: number, row: number) => void>(
  'icmp_rcv',
  'icmp',
  'net/ipv4/icmp.c, icmp_rcv',
  (context) => {
    const { faults, flags, len, tcpWord } = context.read(Skb)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const typeCounter = Uint16Array.from({ length: 256 }, (_, type) => TYPE_COUNTERS[type] ?? NO_COUNTER)
    const routeFlags = SKB.routeBroadcast | SKB.routeMulticast

    function error(cpu: number, drop: number): number {
      count.snmp(cpu, SNMP.IcmpInErrors, 1)
      return drop
    }

    /** Drop place of what a broadcast or group may not carry, or −1. */
    function toEverybody(cpu: number, type: number): number {
      // icmp_echo_ignore_broadcasts is 1; of the rest only address masks may come this way.
      if (type === TYPE.address || type === TYPE.addressReply) return -1
      return error(cpu, DROP.icmpInvalid)
    }

    /** Kernel: net/ipv4/icmp.c, icmp_pointers[].handler */
    function handle(cpu: number, type: number, bodyBytes: number): number {
      switch (type) {
        case TYPE.timestamp:
          return bodyBytes < TIMESTAMP_BYTES ? error(cpu, DROP.icmpTooSmall) : -1
        case TYPE.destUnreach:
        case TYPE.sourceQuench:
        case TYPE.timeExceeded:
        case TYPE.parameterProblem:
          // What is quoted was never sent by a host that does not transmit: no socket for the error.
          count.snmp(cpu, SNMP.IcmpInErrors, 1)
          return bodyBytes < IPV4_HEADER_BYTES ? DROP.icmpShort : -1
        case TYPE.redirect:
          count.snmp(cpu, SNMP.IcmpInErrors, 1)
          return bodyBytes < IPV4_HEADER_BYTES ? DROP.icmpTooSmall : -1
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
      if (typeCounter[type] !== NO_COUNTER) count.snmp(cpu, typeCounter[type], 1)
      if (type === TYPE.extEcho) return -1
      if ((flags[row] & routeFlags) !== 0) {
        const drop = toEverybody(cpu, type)
        if (drop >= 0) return drop
      }
      if (type === TYPE.echoReply || type === TYPE.extEchoReply) return DROP.pingNoSocket
      if (type > TYPE_MAX) return error(cpu, DROP.icmpUnhandled)
      return handle(cpu, type, len[row] - ICMP_HLEN)
    }

    return (cpu, row) => {
      spend(cpu, STAGE.icmp_rcv, 1)
      const drop = receive(cpu, row)
      if (drop >= 0) kfree(cpu, row, drop)
      else consume(cpu, row)
    }
  },
)
