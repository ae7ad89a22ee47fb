import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS, type Plan } from '@softnet/scenario/plan'
import { checksumPartial, pseudoHeaderSum } from '@softnet/wire'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { allocSkb } from './alloc-skb.js'
import { Skb } from './components.js'
import { packetPages } from './packet-pages.js'
import { skbBytes } from './skb-bytes.js'
import { skbPool } from './skb-pool.js'
import { pagedTruesizeBytes } from './truesize.js'

const IP_HEADER = 20
const HEADERS = 28

/** Most segments of a message. Kernel: include/linux/udp.h, UDP_MAX_SEGMENTS */
export const SEGMENTS_MAX = 128

/** Whether any program of a run sends with UDP_SEGMENT. */
export function sendsSegments(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) =>
    apps.some(
      ({ send, sockets }) =>
        (send?.cmsg?.segmentBytes ?? 0) > 0 ||
        sockets.some((each) => each.send?.segmentBytes || each.send?.segments === true),
    ),
  )
}

/** Cutting of messages that were sent with UDP_SEGMENT. */
export interface SkbSegment {
  /** Segments of the message cut last, in order, and how many. */
  readonly list: Int32Array
  /** Whether a packet has to be cut in software for the device it is on. Kernel: net/core/dev.c, netif_needs_gso */
  isFor(row: number): boolean
  /** Cuts it, charged to the CPU and its socket; the number of segments in `list`, 0 if there is no memory. Kernel: __udp_gso_segment */
  cut(cpu: number, row: number): number
  /** What a card that gathers nothing costs: a packet that is left whole is copied together. Kernel: skb_linearize */
  linearize(cpu: number, row: number): void
  /** Chains the segments behind their packet, for a receiver that wants them one by one; false if there is no memory. */
  chain(cpu: number, row: number): boolean
}

/** Segmentation of UDP in software. Kernel: net/ipv4/udp_offload.c, __udp_gso_segment; net/core/skbuff.c, skb_segment */
export const skbSegment = defineSystem<SkbSegment>(
  'skb_segment',
  'skb',
  'net/core/skbuff.c, skb_segment',
  (context) => {
    const { FEATURE, IPPROTO_UDP, SKB, STAGE } = NUMBERS

    const s = context.write(Skb)
    const { frames, gsoSize, payload, len, totLen, udpLen, idFrag, flags, wireBytes, truesize, request, next, dev } = s
    const { ipWord, fragHead, fragTail, sock, page, saddr, daddr } = s
    const { features } = context.read(NetDev)
    const { packetPool } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const heads = perCpu(
      constants,
      ({ smallHeadBytes }) => smallHeadBytes ?? KERNEL_VERSIONS[constants.plan.kernel].smallHeadBytes,
    )
    const alloc = context.system(allocSkb)
    const pool = context.system(skbPool)
    const pages = context.system(packetPages)
    const headers = context.system(skbBytes)
    const wfree = context.system(sockWfree)
    const spend = context.system(charge)
    const list = new Int32Array(SEGMENTS_MAX)

    function isWhole(row: number): boolean {
      return (
        (flags[row] & SKB.gso) !== 0 && frames[row] > 1 && fragHead[row] === 0 && (ipWord[row] & 255) === IPPROTO_UDP
      )
    }

    /** Rows for all segments behind the first, which keeps the packet's row; false if there are not enough. */
    function rows(cpu: number, row: number): boolean {
      list[0] = row
      for (let i = 1; i < frames[row]; i++) {
        list[i] = alloc.part(cpu, row)
        if (list[i] !== 0) continue
        for (let back = 1; back < i; back++) pool.release(list[back], packetPool[cpu])
        return false
      }
      return true
    }

    /** Makes a row the segment `index` of a packet with `header` bytes before its payload. */
    function shape(cpu: number, row: number, index: number, bytes: number, header: number, link: number): void {
      frames[row] = 1
      gsoSize[row] = 0
      payload[row] = bytes
      len[row] = header + bytes
      totLen[row] = 28 + bytes
      udpLen[row] = 8 + bytes
      wireBytes[row] = header + bytes + link
      truesize[row] = pagedTruesizeBytes(bytes, heads[cpu])
      idFrag[row] = ((((idFrag[row] >>> 16) + index) << 16) | (idFrag[row] & 0xffff)) >>> 0
      flags[row] &= ~SKB.gso
      if (index > 0) request[row] = 0
    }

    /** Gives segment `index` of the packet in page `whole` its own bytes; without a free page they are virtual. */
    function ownBytes(cpu: number, row: number, whole: number, index: number, size: number): void {
      const bytes = payload[row]
      if (page[row] !== 0) pages.put(page[row], packetPool[cpu])
      page[row] = pages.take(packetPool[cpu], HEADERS + bytes)
      if (page[row] === 0) return
      const from = pages.first(whole)
      const to = pages.first(page[row])
      pages.bytes.copyWithin(to, from, from + HEADERS)
      pages.bytes.copyWithin(to + HEADERS, from + HEADERS + index * size, from + HEADERS + index * size + bytes)
      const at = to + IP_HEADER
      pages.view.setUint16(at + 4, udpLen[row])
      pages.view.setUint16(at + 6, 0)
      const pseudo = pseudoHeaderSum(saddr[row], daddr[row], IPPROTO_UDP, udpLen[row])
      const check = ~checksumPartial(pages.view, at, udpLen[row], pseudo) & 0xffff
      pages.view.setUint16(at + 6, check === 0 ? 0xffff : check)
      headers.sendCheck(row)
    }

    /** The same for all of them, the packet's own row included. */
    function splitBytes(cpu: number, n: number, size: number): void {
      const whole = page[list[0]]
      if (whole === 0) return
      pages.get(whole)
      for (let i = 0; i < n; i++) ownBytes(cpu, list[i], whole, i, size)
      pages.put(whole, packetPool[cpu])
    }

    return {
      list,
      isFor: (row) => isWhole(row) && (features[dev[row]] & FEATURE.udpSegmentation) === 0,
      linearize(cpu, row) {
        if (isWhole(row) && (features[dev[row]] & FEATURE.scatterGather) === 0)
          spend(cpu, STAGE.skb_linearize, payload[row])
      },
      cut(cpu, row) {
        const n = frames[row]
        const size = gsoSize[row]
        const total = payload[row]
        if (!rows(cpu, row)) return 0
        spend(cpu, STAGE.skb_segment, n)
        if ((features[dev[row]] & FEATURE.txChecksum) === 0) spend(cpu, STAGE.csum_partial, total)
        if ((features[dev[row]] & FEATURE.scatterGather) === 0) spend(cpu, STAGE.skb_linearize, total)
        const owner = (flags[row] & SKB.charged) !== 0 ? sock[row] : 0
        if (owner !== 0) wfree.disown(row)
        const header = len[row] - total
        const link = (wireBytes[row] - total) / n - header
        for (let i = 0; i < n; i++) {
          shape(cpu, list[i], i, i < n - 1 ? size : total - size * (n - 1), header, link)
          if (owner !== 0) wfree.own(list[i], owner)
        }
        splitBytes(cpu, n, size)
        return n
      },
      chain(cpu, row) {
        const n = frames[row]
        const size = gsoSize[row]
        const total = payload[row]
        if (!rows(cpu, row)) return false
        spend(cpu, STAGE.skb_segment, n)
        let sum = pagedTruesizeBytes(size, heads[cpu])
        const header = len[row] - total
        for (let i = 1; i < n; i++) {
          const segment = list[i]
          shape(cpu, segment, i, i < n - 1 ? size : total - size * (n - 1), header, 0)
          // The packet counts headers once: what a segment brings is its payload.
          wireBytes[segment] = payload[segment]
          sum += truesize[segment]
        }
        for (let i = 1; i < n; i++) next[list[i]] = i < n - 1 ? list[i + 1] : 0
        fragHead[row] = list[1]
        fragTail[row] = list[n - 1]
        truesize[row] = sum
        splitBytes(cpu, n, size)
        return true
      },
    }
  },
)
