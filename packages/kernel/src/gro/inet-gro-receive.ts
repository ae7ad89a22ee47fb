import { defineSystem } from '@softnet/ecs'
import { FAULT_L4_SHORT, FAULT_TCP_DOFF_LONG, FAULT_TCP_DOFF_SHORT } from '@softnet/wire'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groHeld } from './gro-held.js'
import { tcpGroReceive } from './tcp-gro-receive.js'
import { udpGroReceive } from './udp-gro-receive.js'

const ETH_P_IP = 0x0800
/** IPv4 without options, as `ipWord` says it: version 4 and a header of five words. */
const PLAIN_IP = 0x45
const BROKEN_HEADER = FAULT_L4_SHORT | FAULT_TCP_DOFF_SHORT | FAULT_TCP_DOFF_LONG
const UDP_HEADER_BYTES = 8

/**
 * Decides about a packet that comes to a bucket: the row of the held packet of its flow (0: none) times
 * `OUTCOME_LIMIT`, plus `OUTCOME` bits; `OUTCOME.flush` alone leaves every held packet as it is.
 */
export type InetGroReceive = (cpu: number, bucketRow: number, row: number) => number

/**
 * IP's part of GRO: only plain IPv4 with a right checksum and no fragment comes near a held packet. Padding, a wrong
 * total length or the reserved bit let it end a held packet but not be held.
 */
export const inetGroReceive = defineSystem<InetGroReceive>(
  'inet_gro_receive',
  'gro',
  'net/ipv4/af_inet.c, inet_gro_receive; tcp4_gro_receive, udp4_gro_receive',
  (context) => {
    const {
      FAULT_IP_SHORT,
      IP_DF,
      IP_HEADER_BYTES,
      IP_MF,
      IP_OFFSET,
      OUTCOME,
      OUTCOME_LIMIT,
      PROTO_TCP,
      PROTO_UDP,
      SKB,
    } = NUMBERS

    const { protocol, ipWord, idFrag, totLen, udpLen, len, faults } = context.read(Skb)
    const { flags } = context.write(Skb)
    const held = context.system(groHeld)
    const tcp = context.system(tcpGroReceive)
    const udp = context.system(udpGroReceive)

    function passesIp(row: number): boolean {
      if (protocol[row] !== ETH_P_IP || (faults[row] & FAULT_IP_SHORT) !== 0) return false
      const word = ipWord[row]
      const l4 = word & 0xff
      if ((l4 !== PROTO_TCP && l4 !== PROTO_UDP) || word >>> 24 !== PLAIN_IP) return false
      return (idFrag[row] & (IP_MF | IP_OFFSET)) === 0 && (flags[row] & SKB.ipCsumBad) === 0
    }

    function mustFlush(row: number): boolean {
      const own = flags[row]
      if ((own & (SKB.padded | SKB.fragList)) !== 0) return true
      if ((own & SKB.gso) !== 0 && (ipWord[row] & 0xff) !== PROTO_TCP) return true
      return ((totLen[row] ^ len[row]) & 0xffff) !== 0 || (idFrag[row] & 0xffff & ~IP_DF) !== 0
    }

    /** Whether the L4 header is there and its checksum right; nobody looks at the checksum of what is flushed anyway. */
    function passesL4(row: number, flush: boolean): boolean {
      if ((faults[row] & BROKEN_HEADER) !== 0) return false
      if (flush) return true
      if ((flags[row] & SKB.csumBad) !== 0) return false
      if ((flags[row] & SKB.csumZero) === 0) flags[row] |= SKB.csumUnnecessary
      return true
    }

    return (cpu, bucketRow, row) => {
      if (!passesIp(row)) return OUTCOME.flush
      const flush = mustFlush(row)
      if (!passesL4(row, flush)) return OUTCOME.flush
      if ((ipWord[row] & 0xff) === PROTO_TCP) {
        const first = held.find(bucketRow, row)
        return first * OUTCOME_LIMIT + tcp(first, row, flush)
      }
      const mode = udp.mode(cpu, row)
      if (mode === 0 || (flags[row] & SKB.csumZero) !== 0) return OUTCOME.flush
      if (udpLen[row] <= UDP_HEADER_BYTES || udpLen[row] !== len[row] - IP_HEADER_BYTES) return OUTCOME.flush
      const first = held.find(bucketRow, row)
      return first * OUTCOME_LIMIT + udp.receive(first, row, flush, mode === 2)
    }
  },
)
