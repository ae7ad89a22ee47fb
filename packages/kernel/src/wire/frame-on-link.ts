import { defineSystem } from '@softnet/ecs'
import { LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { parsedFlags, setParsedFields } from '../skb/parsed-fields.js'

/** Packets as frames on a link. */
export interface FrameOnLink {
  /** Length of frame `index` of a packet that is sent, padded, without FCS. */
  bytes(row: number, index: number): number
  /** True if a packet takes a page along. */
  hasBytes(row: number): boolean
  /**
   * Writes frame `index` of packet `from` to row `to`, as its receiver's card will find it; addresses and hash of the card
   * aside. `page`: a page for its real bytes, 0 where it has none.
   */
  write(to: number, from: number, index: number, page: number): void
  /** Copies a frame that is on its way to another row. */
  copy(to: number, from: number, page: number): void
}

/** `Skb.groIdMode` of a held flow whose id does not change. */
const ID_FIXED = 2

/**
 * What a card makes of a packet: one frame, or as many as it has segments. Kernel: net/core/gso.c, skb_gso_segment (done by
 * the card); net/ethernet/eth.c, eth_type_trans
 */
export const frameOnLink = defineSystem<FrameOnLink>('frame_on_link', 'wire', 'net/ethernet/eth.c', (context) => {
  const { SKB, ETH_HLEN, VLAN_HLEN, ETH_P_IP, IP_MF, IP_OFFSET, IPPROTO_UDP, TCP_FIN, TCP_PSH, MIN_FRAME_BYTES } =
    NUMBERS
  /** Flags that a packet has on the wire; everything else belongs to the host it was on. */
  const ON_WIRE = SKB.vlan | SKB.csumBad | SKB.csumZero | SKB.ipCsumBad | SKB.lastStopCsumBad
  const FRAGMENT = IP_MF | IP_OFFSET
  const s = context.write(Skb)
  const { users, frames, len, wireBytes, saddr, daddr, ports, ipWord, idFrag, totLen, udpLen, protocol, vlanTci } = s
  const { flags, faults, tcpSeq, tcpAck, tcpWord, tcpOptions, gsoSize, payload, groIdMode, request, page, fragSum } = s
  const { macHigh, macLow, dev } = s
  const pages = context.system(packetPages)
  const parsed = new ParsedFrame()

  function isMerged(row: number): boolean {
    return frames[row] > 1 && gsoSize[row] > 0
  }

  function payloadOf(row: number, index: number): number {
    const left = payload[row] - index * gsoSize[row]
    return left < gsoSize[row] ? Math.max(0, left) : gsoSize[row]
  }

  /** Bytes from the network header on. */
  function networkBytes(row: number, index: number): number {
    return isMerged(row) ? len[row] - payload[row] + payloadOf(row, index) : len[row]
  }

  function tagBytes(row: number): number {
    return (flags[row] & SKB.vlan) === 0 ? 0 : VLAN_HLEN
  }

  function copyHeaders(to: number, from: number): void {
    saddr[to] = saddr[from]
    daddr[to] = daddr[from]
    ports[to] = ports[from]
    ipWord[to] = ipWord[from]
    idFrag[to] = idFrag[from]
    totLen[to] = totLen[from]
    udpLen[to] = udpLen[from]
    faults[to] = faults[from]
    tcpSeq[to] = tcpSeq[from]
    tcpAck[to] = tcpAck[from]
    tcpWord[to] = tcpWord[from]
    tcpOptions[to] = tcpOptions[from]
    payload[to] = payload[from]
    fragSum[to] = fragSum[from]
    protocol[to] = protocol[from]
    vlanTci[to] = vlanTci[from]
    request[to] = request[from]
    macHigh[to] = macHigh[from]
    macLow[to] = macLow[from]
    dev[to] = dev[from]
    frames[to] = 1
    gsoSize[to] = 0
  }

  function copyBytes(own: number, from: number, count: number): void {
    const first = pages.first(page[from])
    pages.bytes.copyWithin(pages.first(own), first, first + count)
    pages.setLength(own, count)
  }

  /** Kernel: net/ipv4/tcp_offload.c, tcp_gso_segment; net/ipv4/udp_offload.c, __udp_gso_segment */
  function setSegment(to: number, from: number, index: number, ipBytes: number): void {
    const isLast = index === frames[from] - 1
    const size = payloadOf(from, index)
    const id = (idFrag[from] >>> 16) + (groIdMode[from] === ID_FIXED ? 0 : index)
    idFrag[to] = (((id & 0xffff) << 16) | (idFrag[from] & 0xffff)) >>> 0
    totLen[to] = ipBytes
    payload[to] = size
    if ((ipWord[from] & 0xff) === IPPROTO_UDP) udpLen[to] = 8 + size
    tcpSeq[to] = (tcpSeq[from] + index * gsoSize[from]) >>> 0
    if (!isLast) tcpWord[to] = (tcpWord[from] & ~(TCP_PSH | TCP_FIN)) >>> 0
    if (!isLast) request[to] = 0
  }

  /** Of a fragment behind the first nothing of the next header is there. */
  function setFragment(to: number, ipBytes: number): void {
    const header = ((ipWord[to] >>> 24) & 15) * 4
    fragSum[to] = 0
    if ((idFrag[to] & IP_OFFSET) === 0) {
      payload[to] = Math.max(0, ipBytes - header - ((ipWord[to] & 0xff) === IPPROTO_UDP ? 8 : 0))
      return
    }
    flags[to] &= ~SKB.csumZero
    udpLen[to] = 0
    ports[to] = 0
    payload[to] = ipBytes - header
  }

  /** Columns of a packet whose bytes are in `id`. */
  function parse(to: number, id: number): void {
    const tci = vlanTci[to]
    if (protocol[to] === ETH_P_IP) {
      parseFrame(parsed, pages.view, pages.first(id), pages.length(id), LINKTYPE_RAW)
      setParsedFields(s, to, parsed)
      flags[to] = (flags[to] & SKB.vlan) | (parsedFlags(parsed) & ~SKB.vlan)
      vlanTci[to] = tci
      return
    }
    saddr[to] = 0
    daddr[to] = 0
    ports[to] = 0
    ipWord[to] = 0
    idFrag[to] = 0
    totLen[to] = 0
    udpLen[to] = 0
    faults[to] = 0
    tcpSeq[to] = 0
    tcpAck[to] = 0
    tcpWord[to] = 0
    tcpOptions[to] = 0
    payload[to] = 0
    fragSum[to] = 0
    flags[to] &= SKB.vlan
  }

  return {
    bytes: (row, index) => Math.max(MIN_FRAME_BYTES, ETH_HLEN + tagBytes(row) + networkBytes(row, index)),
    hasBytes: (row) => page[row] !== 0 && pages.owns(page[row]) && !isMerged(row),
    write(to, from, index, own) {
      const ipBytes = networkBytes(from, index)
      const tag = tagBytes(from)
      const size = ETH_HLEN + tag + ipBytes
      users[to] = 1
      flags[to] = flags[from] & ON_WIRE
      copyHeaders(to, from)
      if (isMerged(from)) setSegment(to, from, index, ipBytes)
      else if (own !== 0) {
        copyBytes(own, from, ipBytes)
        parse(to, own)
      } else if ((idFrag[from] & FRAGMENT) !== 0 && page[from] === 0) setFragment(to, ipBytes)
      page[to] = own !== 0 ? own : isMerged(from) || pages.owns(page[from]) ? 0 : page[from]
      wireBytes[to] = Math.max(MIN_FRAME_BYTES, size)
      len[to] = wireBytes[to] - tag
      if (size < MIN_FRAME_BYTES) flags[to] |= SKB.padded
    },
    copy(to, from, own) {
      users[to] = 1
      flags[to] = flags[from]
      copyHeaders(to, from)
      wireBytes[to] = wireBytes[from]
      len[to] = len[from]
      if (own !== 0) copyBytes(own, from, pages.length(page[from]))
      page[to] = own !== 0 ? own : page[from]
    },
  }
})
