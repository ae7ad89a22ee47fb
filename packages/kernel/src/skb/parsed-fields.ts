import {
  ETH_P_IP,
  IP_OFFSET,
  IPPROTO_ICMP,
  IPPROTO_UDP,
  L4_CHECKSUM_BAD,
  L4_CHECKSUM_NONE,
  type ParsedFrame,
} from '@softnet/wire'
import { SKB } from './components.js'

/** Columns that `setParsedFields` writes: those of `Skb`, or of a table with the same columns. */
export type ParsedColumns = Record<
  | 'saddr'
  | 'daddr'
  | 'ports'
  | 'ipWord'
  | 'idFrag'
  | 'fragSum'
  | 'totLen'
  | 'udpLen'
  | 'protocol'
  | 'vlanTci'
  | 'faults'
  | 'tcpSeq'
  | 'tcpAck'
  | 'tcpWord'
  | 'tcpOptions'
  | 'payload',
  { [row: number]: number }
>

/** Writes what the headers of a parsed frame say into a row; lengths, addressing and flags depend on the way it came. */
export function setParsedFields(columns: ParsedColumns, row: number, p: ParsedFrame): void {
  columns.saddr[row] = p.saddr
  columns.daddr[row] = p.daddr
  columns.ports[row] = ((p.sport << 16) | p.dport) >>> 0
  columns.ipWord[row] =
    p.etherType === ETH_P_IP || p.ipVersion === 6
      ? (p.protocol | (p.tos << 8) | (p.ttl << 16) | (p.ihl << 24) | (p.ipVersion << 28)) >>> 0
      : 0
  columns.idFrag[row] = ((p.ipId << 16) | p.fragOff) >>> 0
  columns.fragSum[row] = p.fragSum
  columns.totLen[row] = p.totLenBytes
  columns.udpLen[row] = p.udpLengthBytes
  columns.protocol[row] = p.etherType
  columns.vlanTci[row] = p.vlanTci
  columns.faults[row] = p.fault
  columns.tcpSeq[row] = p.protocol === IPPROTO_ICMP ? p.icmpRest : p.tcpSeq
  columns.tcpAck[row] = p.tcpAck
  columns.tcpWord[row] =
    p.protocol === IPPROTO_ICMP
      ? p.icmpType | (p.icmpCode << 8)
      : ((p.tcpFlags & 0x1ff) | (p.tcpDoff << 12) | (p.tcpWindow << 16)) >>> 0
  columns.tcpOptions[row] = p.optionsHash
  columns.payload[row] = p.payloadBytes
}

/** `SKB` bits that a frame's bytes alone decide: the tag and the state of both checksums. */
export function parsedFlags(p: ParsedFrame): number {
  let flags = 0
  if (p.vlanProto !== 0) flags |= SKB.vlan
  const isIp = p.etherType === ETH_P_IP && p.ipVersion === 4
  if (isIp && p.ihl >= 5 && p.ipChecksumOk === 0) flags |= SKB.ipCsumBad
  if (p.l4ChecksumState === L4_CHECKSUM_BAD) flags |= SKB.csumBad
  if (p.lastStopChecksumState === L4_CHECKSUM_BAD) flags |= SKB.lastStopCsumBad
  const hasUdp = isIp && p.protocol === IPPROTO_UDP && p.udpLengthBytes !== 0 && (p.fragOff & IP_OFFSET) === 0
  if (hasUdp && p.l4ChecksumState === L4_CHECKSUM_NONE) flags |= SKB.csumZero
  return flags
}
