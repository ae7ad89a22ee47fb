import { defineSystem } from '@softnet/ecs'
import { checksumPartial, IPPROTO_TCP, pseudoHeaderSum } from '@softnet/wire'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'

/**
 * Makes a packet with a page of its own the reset that answers a segment of `segmentBytes`: TCP header at position `at`,
 * with its checksum; the addresses are there already.
 */
export type TcpReset = (row: number, at: number, of: number, segmentBytes: number) => void

const TCP_HLEN = 20
const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const

/** Header of a reset: it stands where the segment's receiver would go on. Kernel: net/ipv4/netfilter/nf_reject_ipv4.c, nf_reject_ip_tcphdr_put */
export const tcpReset = defineSystem<TcpReset>(
  'tcp_reset_header',
  'tcp',
  'net/ipv4/tcp_ipv4.c, tcp_v4_send_reset',
  (context) => {
    const { ports, tcpSeq, tcpAck, tcpWord } = context.write(Skb)
    const { page, saddr, daddr } = context.read(Skb)
    const pages = context.system(packetPages)

    function writePage(row: number, at: number): void {
      const { view } = pages
      const start = pages.first(page[row]) + at
      view.setUint32(start, ports[row])
      view.setUint32(start + 4, tcpSeq[row])
      view.setUint32(start + 8, tcpAck[row])
      view.setUint16(start + 12, (TCP_HLEN << 10) | (tcpWord[row] & 0x1ff))
      view.setUint32(start + 14, 0)
      view.setUint16(start + 18, 0)
      const pseudo = pseudoHeaderSum(saddr[row], daddr[row], IPPROTO_TCP, TCP_HLEN)
      view.setUint16(start + 16, ~checksumPartial(view, start, TCP_HLEN, pseudo) & 0xffff)
    }

    return (row, at, of, segmentBytes) => {
      const given = tcpWord[of]
      const hasAck = (given & FLAG.ack) !== 0
      const data = segmentBytes - ((given >>> 12) & 15) * 4
      const control = ((given >>> 1) & 1) + (given & FLAG.fin)
      ports[row] = ((ports[of] << 16) | (ports[of] >>> 16)) >>> 0
      tcpSeq[row] = hasAck ? tcpAck[of] : 0
      tcpAck[row] = hasAck ? 0 : (tcpSeq[of] + control + data) >>> 0
      tcpWord[row] = (hasAck ? FLAG.rst : FLAG.rst | FLAG.ack) | ((TCP_HLEN / 4) << 12)
      writePage(row, at)
    }
  },
)
