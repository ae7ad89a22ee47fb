import { defineSystem } from '@softnet/ecs'
import { IP_DF, IP_MF, IP_OFFSET } from '@softnet/wire'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { DROP } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { FRAG_QUEUE, FragPeer, FragQueue } from './components.js'
import { fragTimers } from './frag-timer.js'
import { inetFrags } from './inet-frag-find.js'
import { IPFRAG, inetFragQueueInsert } from './inet-frag-queue-insert.js'
import { ipFragReasm } from './ip-frag-reasm.js'

const COMPLETE = FRAG_QUEUE.firstIn | FRAG_QUEUE.lastIn
/** Fragments but the last carry whole units of eight bytes. */
const UNIT_MASK = ~7

/** Takes a fragment, `Skb.len` from the IP header on; the whole packet if this one completes it, else 0. */
export type IpDefrag = (cpu: number, row: number) => number

/**
 * Reassembly of IPv4 fragments: memory limit, distance limit, what is inconsistent ends the queue, duplicates are
 * ignored. Kernel: net/ipv4/ip_fragment.c, ip_defrag, ip_frag_queue, ip_frag_too_far, ip_frag_reinit
 */
export const ipDefrag = defineSystem<IpDefrag>(
  'ip_defrag',
  'defrag',
  'net/ipv4/ip_fragment.c, ip_defrag',
  (context) => {
    const { idFrag, ipWord, truesize } = context.read(Skb)
    const { len } = context.write(Skb)
    const { net, clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const q = context.write(FragQueue)
    const { rid: peerRid } = context.write(FragPeer)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const timers = context.system(fragTimers)
    const table = context.system(inetFrags)
    const insert = context.system(inetFragQueueInsert)
    const reasm = context.system(ipFragReasm)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const maxDist = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.ipfrag_max_dist'])

    /** Too many fragments of the same sender since the queue's last one: ids may have come round. */
    function tooFar(cpu: number, queue: number): boolean {
      const peer = q.peer[queue]
      if (peer === 0) return false
      const start = q.rid[queue]
      peerRid[peer]++
      q.rid[queue] = peerRid[peer]
      return q.tail[queue] !== 0 && peerRid[peer] - start > maxDist[net[cpu]]
    }

    function reinit(cpu: number, queue: number): void {
      count.snmp(cpu, SNMP.IpReasmFails, 1)
      timers.start(cpu, queue)
      table.purge(cpu, queue, DROP.fragTooFar)
      q.flags[queue] = 0
      q.lenBytes[queue] = 0
      q.meatBytes[queue] = 0
      q.ecn[queue] = 0
    }

    /** The fragment contradicts what is held: all of it goes, only this one with a drop event. */
    function discard(cpu: number, queue: number, row: number): number {
      table.kill(queue)
      count.snmp(cpu, SNMP.IpReasmFails, 1)
      kfree(cpu, row, DROP.fragment)
      table.destroy(cpu, queue, -1)
      return 0
    }

    /** Where the fragment ends, −1 if that cannot be. Notes how long the datagram is, even if it is not taken then. */
    function endOf(queue: number, row: number, offset: number, headerBytes: number): number {
      const end = offset + len[row] - headerBytes
      if ((idFrag[row] & IP_MF) === 0) {
        const hasLast = (q.flags[queue] & FRAG_QUEUE.lastIn) !== 0
        if (end < q.lenBytes[queue] || (hasLast && end !== q.lenBytes[queue])) return -1
        q.flags[queue] |= FRAG_QUEUE.lastIn
        q.lenBytes[queue] = end
        return end === offset ? -1 : end
      }
      const whole = end & UNIT_MASK
      if (whole > q.lenBytes[queue]) {
        if ((q.flags[queue] & FRAG_QUEUE.lastIn) !== 0) return -1
        q.lenBytes[queue] = whole
      }
      return whole === offset ? -1 : whole
    }

    function account(queue: number, row: number, offset: number, headerBytes: number): void {
      q.meatBytes[queue] += len[row]
      q.ecn[queue] |= 1 << ((ipWord[row] >>> 8) & 3)
      table.account(queue, truesize[row])
      if (offset === 0) q.flags[queue] |= FRAG_QUEUE.firstIn
      const size = len[row] + headerBytes
      if (size > q.maxSizeBytes[queue]) q.maxSizeBytes[queue] = size
      if ((idFrag[row] & IP_DF) !== 0 && size > q.maxDfSizeBytes[queue]) q.maxDfSizeBytes[queue] = size
    }

    /** Kernel: net/ipv4/ip_fragment.c, ip_frag_queue */
    function enqueue(cpu: number, queue: number, row: number): number {
      if (tooFar(cpu, queue)) reinit(cpu, queue)
      const offset = (idFrag[row] & IP_OFFSET) * 8
      const headerBytes = ((ipWord[row] >>> 24) & 15) * 4
      const end = endOf(queue, row, offset, headerBytes)
      if (end < 0) return discard(cpu, queue, row)
      len[row] = end - offset
      const result = insert(queue, row, offset, end)
      if (result === IPFRAG.duplicate) {
        kfree(cpu, row, DROP.fragDup)
        return 0
      }
      if (result === IPFRAG.overlap) {
        count.snmp(cpu, SNMP.IpExtReasmOverlaps, 1)
        return discard(cpu, queue, row)
      }
      account(queue, row, offset, headerBytes)
      if (q.flags[queue] !== COMPLETE || q.meatBytes[queue] !== q.lenBytes[queue]) {
        if (trace.on) trace.fragQueue(cpu, clockPs[cpu], row)
        return 0
      }
      const whole = reasm(cpu, queue, row)
      count.snmp(cpu, whole === 0 ? SNMP.IpReasmFails : SNMP.IpReasmOKs, 1)
      return whole
    }

    return (cpu, row) => {
      count.snmp(cpu, SNMP.IpReasmReqds, 1)
      spend(cpu, STAGE.ip_defrag, 1)
      const queue = table.find(cpu, row)
      if (queue !== 0) return enqueue(cpu, queue, row)
      count.snmp(cpu, SNMP.IpReasmFails, 1)
      kfree(cpu, row, DROP.fragment)
      return 0
    }
  },
)
