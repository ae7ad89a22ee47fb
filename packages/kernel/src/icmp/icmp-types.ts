import { SNMP } from '../count/snmp.js'

/** Message types. Kernel: include/uapi/linux/icmp.h */
export const ICMP_TYPE = {
  echoReply: 0,
  destUnreach: 3,
  sourceQuench: 4,
  redirect: 5,
  echo: 8,
  timeExceeded: 11,
  parameterProblem: 12,
  timestamp: 13,
  timestampReply: 14,
  address: 17,
  addressReply: 18,
  extEcho: 42,
  extEchoReply: 43,
} as const

/** Codes of destination unreachable and of the others. Kernel: include/uapi/linux/icmp.h */
export const ICMP_CODE = {
  netUnreach: 0,
  hostUnreach: 1,
  protUnreach: 2,
  portUnreach: 3,
  fragNeeded: 4,
  srFailed: 5,
  pktFiltered: 13,
  excTtl: 0,
  excFragTime: 1,
  redirHost: 1,
} as const

/** Highest known type. Kernel: include/uapi/linux/icmp.h, NR_ICMP_TYPES */
export const NR_ICMP_TYPES = 18

/** Types that are no errors; every other known one counts as an error. Kernel: net/ipv4/icmp.c, icmp_pointers */
const QUERIES = [0, 8, 13, 14, 15, 16, 17, 18]

/** Whether no ICMP error may answer a message of this type. */
export function isIcmpError(type: number): boolean {
  return type > NR_ICMP_TYPES || !QUERIES.includes(type)
}

const NO_COUNTER = 0xffff

function table(counters: Readonly<Record<number, number>>): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, type) => counters[type] ?? NO_COUNTER)
}

/** Counter in /proc/net/snmp of each type received, 0xffff for types without one. Kernel: net/ipv4/proc.c, icmpmibmap */
export const ICMP_IN_COUNTERS = table({
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
})

/** The same for types sent. */
export const ICMP_OUT_COUNTERS = table({
  0: SNMP.IcmpOutEchoReps,
  3: SNMP.IcmpOutDestUnreachs,
  4: SNMP.IcmpOutSrcQuenchs,
  5: SNMP.IcmpOutRedirects,
  8: SNMP.IcmpOutEchos,
  11: SNMP.IcmpOutTimeExcds,
  12: SNMP.IcmpOutParmProbs,
  13: SNMP.IcmpOutTimestamps,
  14: SNMP.IcmpOutTimestampReps,
  17: SNMP.IcmpOutAddrMasks,
  18: SNMP.IcmpOutAddrMaskReps,
})
