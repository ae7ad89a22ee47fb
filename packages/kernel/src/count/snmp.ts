/** Counter names in the order `/proc/net/snmp` and `/proc/net/netstat` print them. Kernel: net/ipv4/proc.c */
export const SNMP_TABLES = {
  Ip: [
    'Forwarding',
    'DefaultTTL',
    'InReceives',
    'InHdrErrors',
    'InAddrErrors',
    'ForwDatagrams',
    'InUnknownProtos',
    'InDiscards',
    'InDelivers',
    'OutRequests',
    'OutDiscards',
    'OutNoRoutes',
    'ReasmTimeout',
    'ReasmReqds',
    'ReasmOKs',
    'ReasmFails',
    'FragOKs',
    'FragFails',
    'FragCreates',
    'OutTransmits',
  ],
  Icmp: [
    'InMsgs',
    'InErrors',
    'InCsumErrors',
    'InDestUnreachs',
    'InTimeExcds',
    'InParmProbs',
    'InSrcQuenchs',
    'InRedirects',
    'InEchos',
    'InEchoReps',
    'InTimestamps',
    'InTimestampReps',
    'InAddrMasks',
    'InAddrMaskReps',
    'OutMsgs',
    'OutErrors',
    'OutRateLimitGlobal',
    'OutRateLimitHost',
    'OutDestUnreachs',
    'OutTimeExcds',
    'OutParmProbs',
    'OutSrcQuenchs',
    'OutRedirects',
    'OutEchos',
    'OutEchoReps',
    'OutTimestamps',
    'OutTimestampReps',
    'OutAddrMasks',
    'OutAddrMaskReps',
  ],
  Tcp: ['InSegs', 'OutSegs', 'InErrs', 'OutRsts', 'InCsumErrors'],
  Udp: [
    'InDatagrams',
    'NoPorts',
    'InErrors',
    'OutDatagrams',
    'RcvbufErrors',
    'SndbufErrors',
    'InCsumErrors',
    'IgnoredMulti',
    'MemErrors',
  ],
  TcpExt: ['ListenDrops', 'IPReversePathFilter', 'BusyPollRxPackets', 'PFMemallocDrop', 'ArpFilter'],
  IpExt: [
    'InNoRoutes',
    'InTruncatedPkts',
    'InMcastPkts',
    'OutMcastPkts',
    'InBcastPkts',
    'OutBcastPkts',
    'InOctets',
    'OutOctets',
    'InMcastOctets',
    'OutMcastOctets',
    'InBcastOctets',
    'OutBcastOctets',
    'InCsumErrors',
    'InNoECTPkts',
    'InECT1Pkts',
    'InECT0Pkts',
    'InCEPkts',
    'ReasmOverlaps',
  ],
} as const

/** A protocol block of the SNMP counters. */
export type SnmpTable = keyof typeof SNMP_TABLES

/** Full name of a counter: block and name joined, as nstat prints it. */
export type SnmpName = { [T in SnmpTable]: `${T}${(typeof SNMP_TABLES)[T][number]}` }[SnmpTable]

/** Counters that came later: their numbers follow all others, so that those, and digests of runs, stay as they were. */
const LATER: readonly string[] = ['TcpOutSegs', 'TcpExtArpFilter']

const all = Object.entries(SNMP_TABLES).flatMap(([table, list]) => list.map((name: string) => table + name))
const names = [...all.filter((name) => !LATER.includes(name)), ...LATER]

/** Number of each counter. */
export const SNMP = Object.freeze(Object.fromEntries(names.map((name, index) => [name, index]))) as Readonly<
  Record<SnmpName, number>
>
