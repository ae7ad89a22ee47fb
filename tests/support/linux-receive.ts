/** What Linux does with the bytes of one frame up to its socket, written again for tests: it reads bytes and shares no code with the model. */
import { internetSum } from './capture-file.js'

const [IPV4, ARP, IPV6] = [0x0800, 0x0806, 0x86dd]
const VLANS = [0x8100, 0x88a8]
const MIN_FRAME_BYTES = 60
const NOP = 1

/** The host that receives. */
export interface Receiver {
  /** Hardware address, twelve hexadecimal digits. */
  readonly mac: string
  /** Address of the host and of the only peer whose packets are told, eight hexadecimal digits. */
  readonly address: string
  readonly peer: string
  /** UDP ports with a socket. */
  readonly ports: readonly number[]
}

/** Counters that one frame moves, by `table.name`, and `end.…` for where it ends; null where this file does not know. */
export type Verdict = readonly string[] | null

/** What one frame does. */
export interface Received {
  readonly counters: Verdict
  /** What it adds to `IpExt.InOctets`. */
  readonly octets: number
}

const UNKNOWN: Received = { counters: null, octets: 0 }

/** Follows one Ethernet frame without FCS. */
export function linuxReceives(frame: Buffer, host: Receiver): Received {
  const wire = Buffer.concat([frame, Buffer.alloc(Math.max(0, MIN_FRAME_BYTES - frame.length))])
  // A frame without a whole link header is nothing a card hands over.
  if (frame.length < 14) return UNKNOWN
  const type = wire.readUInt16BE(12)
  if (VLANS.includes(type)) return UNKNOWN
  if (type === IPV6) return { counters: ['end.consumed'], octets: 0 }
  if (type === ARP) return { counters: [arpEnds(wire, host)], octets: 0 }
  if (type !== IPV4) return { counters: ['end.UNHANDLED_PROTO'], octets: 0 }
  const isGroup = (wire.readUInt8(0) & 1) === 1
  const isOurs = wire.toString('hex', 0, 6) === host.mac
  if (!isGroup && !isOurs) return { counters: ['end.OTHERHOST'], octets: 0 }
  const ip = wire.subarray(14)
  const counters = ipReceives(ip, host, isGroup)
  return { counters: counters === null ? null : ['Ip.InReceives', ...counters], octets: ip.length }
}

/** Where an ARP message ends: used up, or dropped for its form. */
function arpEnds(wire: Buffer, host: Receiver): string {
  const isGroup = (wire.readUInt8(0) & 1) === 1
  if (!isGroup && wire.toString('hex', 0, 6) !== host.mac) return 'end.consumed'
  const arp = wire.subarray(14)
  const [hardware, protocol, sizes, op] = [
    arp.readUInt16BE(0),
    arp.readUInt16BE(2),
    arp.readUInt16BE(4),
    arp.readUInt16BE(6),
  ]
  const target = arp.readUInt8(24)
  const isWrong = sizes !== 0x0604 || protocol !== IPV4 || (hardware !== 1 && hardware !== 6) || (op !== 1 && op !== 2)
  return isWrong || target === 127 || target >> 4 === 14 ? 'end.NOT_SPECIFIED' : 'end.consumed'
}

const ECN = ['IpExt.InNoECTPkts', 'IpExt.InECT1Pkts', 'IpExt.InECT0Pkts', 'IpExt.InCEPkts']

function ipReceives(ip: Buffer, host: Receiver, isGroup: boolean): Verdict {
  const headerBytes = (ip.readUInt8(0) & 15) * 4
  if (ip.readUInt8(0) >> 4 !== 4 || headerBytes < 20) return ['Ip.InHdrErrors', 'end.IP_INHDR']
  const seen = [ECN[ip.readUInt8(1) & 3] as string]
  if (ip.length < headerBytes) return [...seen, 'Ip.InHdrErrors', 'end.IP_INHDR']
  if (internetSum(ip.subarray(0, headerBytes)) !== 0xffff)
    return [...seen, 'IpExt.InCsumErrors', 'Ip.InHdrErrors', 'end.IP_CSUM']
  const totalBytes = ip.readUInt16BE(2)
  if (ip.length < totalBytes) return [...seen, 'IpExt.InTruncatedPkts', 'end.PKT_TOO_SMALL']
  if (totalBytes < headerBytes) return [...seen, 'Ip.InHdrErrors', 'end.IP_INHDR']
  // Other options and other addresses have tests of their own.
  if (ip.subarray(20, headerBytes).some((byte) => byte !== NOP)) return null
  if (ip.toString('hex', 12, 16) !== host.peer || ip.toString('hex', 16, 20) !== host.address) return null
  // What becomes of a fragment depends on others; recorded sequences are compared elsewhere.
  if ((ip.readUInt16BE(6) & 0x3fff) !== 0) return null
  const protocol = ip.readUInt8(9)
  const l4 = ip.subarray(headerBytes, totalBytes)
  const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.from([0, protocol, l4.length >> 8, l4.length & 255])])
  if (protocol === 17) return [...seen, 'Ip.InDelivers', ...udpReceives(l4, pseudo, host)]
  if (protocol === 6) return [...seen, 'Ip.InDelivers', ...tcpReceives(l4, pseudo, isGroup)]
  if (protocol === 1) {
    const icmp = icmpReceives(l4)
    return icmp === null ? null : [...seen, 'Ip.InDelivers', ...icmp]
  }
  // Only queries, and reports of others to a group, are taken; what is drawn here holds neither with a right checksum.
  if (protocol === 2) return isIgmpTaken(l4) ? null : [...seen, 'Ip.InDelivers', 'end.NOT_SPECIFIED']
  // PIM: pim_rcv of a host that routes no groups takes none. Kernel: net/ipv4/ipmr.c
  if (protocol === 103) return [...seen, 'Ip.InDelivers', 'end.NOT_SPECIFIED']
  return [...seen, 'Ip.InUnknownProtos', 'end.IP_NOPROTO']
}

/** Kernel: net/ipv4/igmp.c, igmp_rcv */
function isIgmpTaken(l4: Buffer): boolean {
  return l4.length >= 8 && internetSum(l4) === 0xffff && [0x11, 0x12, 0x16].includes(l4.readUInt8(0))
}

function udpReceives(l4: Buffer, pseudo: Buffer, host: Receiver): string[] {
  if (l4.length < 8) return ['Udp.InErrors', 'end.NOT_SPECIFIED']
  const bytes = l4.readUInt16BE(4)
  if (bytes > l4.length || bytes < 8) return ['Udp.InErrors', 'end.PKT_TOO_SMALL']
  pseudo.writeUInt16BE(bytes, 10)
  const isWrong = l4.readUInt16BE(6) !== 0 && internetSum(pseudo, l4.subarray(0, bytes)) !== 0xffff
  if (isWrong) return ['Udp.InCsumErrors', 'Udp.InErrors', 'end.UDP_CSUM']
  if (host.ports.includes(l4.readUInt16BE(2))) return ['Udp.InDatagrams', 'end.delivered']
  return ['Udp.NoPorts', 'end.NO_SOCKET']
}

function tcpReceives(l4: Buffer, pseudo: Buffer, isGroup: boolean): string[] {
  if (isGroup) return ['end.NOT_SPECIFIED']
  if (l4.length < 20) return ['Tcp.InSegs', 'end.NOT_SPECIFIED']
  const headerBytes = (l4.readUInt8(12) >> 4) * 4
  if (headerBytes < 20) return ['Tcp.InSegs', 'Tcp.InErrs', 'end.PKT_TOO_SMALL']
  if (headerBytes > l4.length) return ['Tcp.InSegs', 'end.NOT_SPECIFIED']
  if (internetSum(pseudo, l4) !== 0xffff) return ['Tcp.InSegs', 'Tcp.InCsumErrors', 'Tcp.InErrs', 'end.TCP_CSUM']
  return ['Tcp.InSegs', 'end.NO_SOCKET']
}

/** Only as far as the checksum, which comes before the header's length, and echoes: types have a table of their own. */
function icmpReceives(l4: Buffer): Verdict {
  if (internetSum(l4) !== 0xffff) return ['Icmp.InMsgs', 'Icmp.InCsumErrors', 'Icmp.InErrors', 'end.ICMP_CSUM']
  if (l4.length < 8) return ['Icmp.InMsgs', 'Icmp.InErrors', 'end.NOT_SPECIFIED']
  switch (l4.readUInt8(0)) {
    case 8:
      return ['Icmp.InMsgs', 'Icmp.InEchos', 'end.consumed']
    case 0:
      return ['Icmp.InMsgs', 'Icmp.InEchoReps', 'end.NO_SOCKET']
    default:
      return null
  }
}
