import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

/** The TCP header of a packet as connection tracking reads it; numbers are unsigned 32 bits. */
export interface TcpSegment {
  /** Reads a packet; false if its header is cut short. */
  read(row: number): boolean
  /** Sets `scale` and `options` (bits of `SEEN`); false where it has no options. Kernel: nf_conntrack_proto_tcp.c, tcp_options */
  readOptions(row: number): boolean
  /** Greatest right edge of its SACK blocks that is after `ack`, or that. Kernel: nf_conntrack_proto_tcp.c, tcp_sack */
  sack(row: number, ack: number): number
  /** Flags in the low 9 bits. */
  word: number
  seq: number
  ack: number
  /** Behind its last byte; SYN and FIN count one each. */
  end: number
  window: number
  scale: number
  options: number
}

const TCP_HLEN = 20
const FIN = 1
const SYN = 2
const OPTION = { end: 0, nop: 1, window: 3, sackPermitted: 4, sack: 5 } as const
const MAX_SCALE = 14
const SACK_BLOCK_BYTES = 8

/** Kernel: net/netfilter/nf_conntrack_proto_tcp.c, segment_seq_plus_len */
export const tcpSegment = defineSystem<TcpSegment>(
  'nf_ct_tcp_segment',
  'netfilter',
  'net/netfilter/nf_conntrack_proto_tcp.c, segment_seq_plus_len',
  (context) => {
    const { IPPROTO_TCP, SEEN, SKB } = NUMBERS

    const { ipWord, len, flags, tcpSeq, tcpAck, tcpWord } = context.read(Skb)
    const bytes = context.system(skbBytes)

    function ihlBytes(row: number): number {
      return ((ipWord[row] >>> 24) & 15) * 4
    }

    function headerBytes(row: number): number {
      return ((tcpWord[row] >>> 12) & 15) * 4
    }

    /** Position of an option's data, or 0 if it is not there. */
    function find(row: number, wanted: number, wantedBytes: number): number {
      let at = ihlBytes(row) + TCP_HLEN
      const end = ihlBytes(row) + headerBytes(row)
      while (at < end) {
        const kind = bytes.u8(row, at)
        if (kind === OPTION.end) return 0
        if (kind === OPTION.nop) {
          at++
          continue
        }
        const size = at + 1 < end ? bytes.u8(row, at + 1) : 0
        if (size < 2 || at + size > end) return 0
        const fits = wantedBytes > 0 ? size === wantedBytes : size > 2 && (size - 2) % SACK_BLOCK_BYTES === 0
        if (kind === wanted && fits) return at + 2
        at += size
      }
      return 0
    }

    const segment: TcpSegment = {
      word: 0,
      seq: 0,
      ack: 0,
      end: 0,
      window: 0,
      scale: 0,
      options: 0,
      read(row) {
        const word = tcpWord[row]
        const l4Bytes = (flags[row] & SKB.pulled) !== 0 ? len[row] : len[row] - ihlBytes(row)
        const header = headerBytes(row)
        if ((ipWord[row] & 255) !== IPPROTO_TCP || header < TCP_HLEN || l4Bytes < header) return false
        const extra = ((word & SYN) !== 0 ? 1 : 0) + ((word & FIN) !== 0 ? 1 : 0)
        segment.word = word
        segment.seq = tcpSeq[row]
        segment.ack = tcpAck[row]
        segment.end = (tcpSeq[row] + l4Bytes - header + extra) >>> 0
        segment.window = word >>> 16
        return true
      },
      readOptions(row) {
        segment.scale = 0
        segment.options = 0
        if (!bytes.has(row) || headerBytes(row) === TCP_HLEN) return false
        if (find(row, OPTION.sackPermitted, 2) !== 0) segment.options |= SEEN.sackPermitted
        const at = find(row, OPTION.window, 3)
        if (at !== 0) {
          segment.options |= SEEN.windowScale
          segment.scale = Math.min(MAX_SCALE, bytes.u8(row, at))
        }
        return true
      },
      sack(row, ack) {
        if (!bytes.has(row) || headerBytes(row) === TCP_HLEN) return ack
        const at = find(row, OPTION.sack, 0)
        let greatest = ack
        const end = at === 0 ? 0 : at + bytes.u8(row, at - 1) - 2
        for (let block = at; block < end; block += SACK_BLOCK_BYTES) {
          const edge = bytes.u32(row, block + 4)
          if (((greatest - edge) | 0) < 0) greatest = edge
        }
        return greatest
      },
    }
    return segment
  },
)
