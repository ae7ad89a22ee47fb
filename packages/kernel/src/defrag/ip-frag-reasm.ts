import { defineSystem } from '@softnet/ecs'
import {
  checksumFold,
  FAULT_L4_SHORT,
  FAULT_TCP_DOFF_LONG,
  FRAG_SUM_KNOWN,
  IP_DF,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  pseudoHeaderSum,
} from '@softnet/wire'
import { TRACE_SINK } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { SKB, Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { skbPool } from '../skb/skb-pool.js'
import { skbReparse } from '../skb/skb-reparse.js'
import { FragQueue } from './components.js'
import { inetFrags } from './inet-frag-find.js'
import { skbTryCoalesce } from './skb-try-coalesce.js'

const MAX_DATAGRAM_BYTES = 65_535
const ECN_CE = 3
const DROPPED = 0xff
const NOT_ECT = 1
const CE = 8
const UDP_HEADER_BYTES = 8
const TCP_HEADER_BYTES = 20
/** TCP header length of five words, where the first fragment does not hold the word that tells it. */
const TCP_NO_OPTIONS = 5 << 12

/**
 * What the codepoints seen in a datagram's fragments, one bit each, add to its TOS: nothing, congestion experienced, or
 * 0xff where capable and not capable transport are mixed. Kernel: net/ipv4/inet_fragment.c, ip_frag_ecn_table
 */
export function ipFragEcn(seen: number): number {
  if ((seen & NOT_ECT) !== 0) return seen === NOT_ECT ? 0 : DROPPED
  return (seen & CE) !== 0 && seen !== CE ? ECN_CE : 0
}

/** Joins all fragments of a queue whose last fragment is `row`: the packet, or 0 if it cannot be made. Ends the queue. */
export type IpFragReasm = (cpu: number, queue: number, row: number) => number

/**
 * Reassembly: the first fragment's packet gets all bytes, frames and memory of the others and the time of the one that
 * came last. Kernel: net/ipv4/ip_fragment.c, ip_frag_reasm; net/ipv4/inet_fragment.c, inet_frag_reasm_finish
 */
export const ipFragReasm = defineSystem<IpFragReasm>(
  'ip_frag_reasm',
  'defrag',
  'net/ipv4/ip_fragment.c, ip_frag_reasm',
  (context) => {
    const { saddr, daddr, udpLen, fragSum, fragNextRun } = context.read(Skb)
    const s = context.write(Skb)
    const { next, frames, wireBytes, len, totLen, payload, truesize, arrivalPs, dev, flags, faults } = s
    const { idFrag, ipWord, tcpWord, page } = s
    const queues = context.write(FragQueue)
    const { packetPool, clockPs } = context.read(Cpu)
    const spend = context.system(charge)
    const trace = context.resource(TRACE_SINK)
    const pool = context.system(skbPool)
    const pages = context.system(packetPages)
    const reparse = context.system(skbReparse)
    const table = context.system(inetFrags)
    const coalesce = context.system(skbTryCoalesce)
    let sum = 0
    let sumKnown = FRAG_SUM_KNOWN
    let bad = 0
    let heldBytes = 0

    function note(row: number): void {
      heldBytes += truesize[row]
      sumKnown &= fragSum[row]
      // Every fragment begins at a multiple of eight bytes, so sums of words add up.
      sum = checksumFold(sum + (fragSum[row] & 0xffff))
      bad |= flags[row] & SKB.csumBad
    }

    /** Position behind the bytes copied so far, in the page that will hold them all. */
    let filled = 0

    /** Copies what a fragment holds behind its IP header. */
    function copyData(row: number): void {
      const from = pages.first(page[row]) + ((ipWord[row] >>> 24) & 15) * 4
      pages.bytes.copyWithin(filled, from, from + len[row])
      filled += len[row]
    }

    /** Takes a page for real bytes and writes the first fragment into it: its id, 0 without one. */
    function beginPage(cpu: number, head: number, headerBytes: number, bytes: number): number {
      const whole = pages.take(packetPool[cpu], headerBytes + bytes)
      if (whole === 0) return 0
      const from = pages.first(page[head])
      filled = pages.first(whole)
      pages.bytes.copyWithin(filled, from, from + headerBytes)
      filled += headerBytes
      copyData(head)
      return whole
    }

    /** Adds every other fragment to the first; returns how many there were. */
    function join(cpu: number, head: number, whole: number): number {
      let joined = 0
      sum = 0
      sumKnown = FRAG_SUM_KNOWN
      bad = 0
      heldBytes = 0
      note(head)
      let nextRun = fragNextRun[head]
      coalesce.begin(head)
      for (let run = head; run !== 0; ) {
        if (run !== head) nextRun = fragNextRun[run]
        for (let row = run; row !== 0; ) {
          const following = next[row]
          if (row !== head) {
            note(row)
            coalesce.add(head, row)
            if (whole !== 0) copyData(row)
            frames[head] += frames[row]
            wireBytes[head] += wireBytes[row]
            len[head] += len[row]
            joined++
            if (trace.on) trace.merge(cpu, clockPs[cpu], head, row)
            pool.release(row, packetPool[cpu])
          }
          row = following
        }
        run = nextRun
      }
      next[head] = 0
      return joined
    }

    /** Whether the L4 checksum over all fragments is wrong; where bytes are virtual, whether one fragment says so. */
    function checksumIsBad(head: number, bytes: number): boolean {
      if (sumKnown === 0) return bad !== 0
      const protocol = ipWord[head] & 255
      if (protocol === IPPROTO_ICMP) return sum !== 0xffff
      if (protocol !== IPPROTO_UDP && protocol !== IPPROTO_TCP) return false
      // Bytes behind the end of a UDP datagram are none of its checksum's: not known here, and not looked at.
      if (protocol === IPPROTO_UDP && udpLen[head] !== (bytes & 0xffff)) return bad !== 0
      const pseudo = pseudoHeaderSum(saddr[head], daddr[head], protocol, bytes)
      return checksumFold(sum + pseudo) !== 0xffff
    }

    /** What the parser could only say of the first fragment. */
    function setL4Fields(head: number, firstBytes: number, bytes: number): void {
      const protocol = ipWord[head] & 255
      flags[head] &= ~(SKB.csumUnnecessary | SKB.csumBad)
      if ((flags[head] & SKB.csumZero) === 0 && checksumIsBad(head, bytes)) flags[head] |= SKB.csumBad
      if (protocol === IPPROTO_UDP) {
        payload[head] = Math.max(0, bytes - UDP_HEADER_BYTES)
      } else if (protocol === IPPROTO_TCP) {
        if (firstBytes < TCP_HEADER_BYTES) tcpWord[head] = TCP_NO_OPTIONS
        faults[head] &= ~(FAULT_L4_SHORT | FAULT_TCP_DOFF_LONG)
        if (bytes < TCP_HEADER_BYTES) faults[head] |= FAULT_L4_SHORT
        const headerBytes = ((tcpWord[head] >>> 12) & 15) * 4
        if (headerBytes > bytes) faults[head] |= FAULT_TCP_DOFF_LONG
        payload[head] = Math.max(0, bytes - headerBytes)
      }
    }

    return (cpu, queue, row) => {
      table.kill(queue)
      const head = queues.firstRun[queue]
      const ecn = ipFragEcn(queues.ecn[queue])
      const headerBytes = ((ipWord[head] >>> 24) & 15) * 4
      const bytes = queues.lenBytes[queue]
      if (ecn === DROPPED || headerBytes + bytes > MAX_DATAGRAM_BYTES) {
        table.destroy(cpu, queue, -1)
        return 0
      }
      const isReal = pages.owns(page[head])
      const whole = isReal ? beginPage(cpu, head, headerBytes, bytes) : 0
      if (isReal && whole === 0) {
        table.destroy(cpu, queue, -1)
        return 0
      }
      arrivalPs[head] = arrivalPs[row]
      dev[head] = dev[row]
      const firstBytes = len[head]
      spend(cpu, STAGE.ip_frag_reasm, 1)
      spend(cpu, STAGE.kfree_skb, join(cpu, head, whole))
      if (whole === 0) setL4Fields(head, firstBytes, bytes)
      else pool.dropPage(head, packetPool[cpu])
      page[head] = isReal ? whole : page[head]
      len[head] += headerBytes
      totLen[head] = headerBytes + bytes
      ipWord[head] |= ecn << 8
      s.fragMax[head] = Math.max(queues.maxDfSizeBytes[queue], queues.maxSizeBytes[queue])
      const keepsDf = queues.maxDfSizeBytes[queue] === queues.maxSizeBytes[queue]
      idFrag[head] = ((idFrag[head] & 0xffff0000) | (keepsDf ? IP_DF : 0)) >>> 0
      if (isReal) reparse.all(head)
      queues.firstRun[queue] = 0
      table.account(queue, -heldBytes)
      table.destroy(cpu, queue, -1)
      return head
    }
  },
)
