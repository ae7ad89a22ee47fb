import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu, Owner } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import type { Stage } from '../netif/stage.js'
import { devNet } from '../netns/dev-net.js'
import { RxQueue } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { sendsSegments, skbSegment } from '../skb/skb-segment.js'
import { SleepView, Task } from '../task/components.js'
import { Sock, SockView } from './components.js'
import { dataReady } from './data-ready.js'
import { skFilter } from './sk-filter.js'
import { hasFilters } from './sk-filter-components.js'
import { udpMemory } from './udp-memory.js'

const UDP_HEADER_BYTES = 8

/** A datagram at its socket. */
export interface UdpEnqueue {
  /** Queues or drops a datagram that belongs to a socket of this partition. True if it was queued. */
  local(cpu: number, row: number, sock: number, charged: boolean): boolean
  /** Notes flow hash and NAPI instance of a datagram in a socket of this partition. Kernel: net/ipv4/udp.c, sk_mark_napi_id */
  mark(sock: number, row: number): void
  /** A datagram that another CPU sent here. */
  fromRemote(cpu: number, row: number, sock: number, from: number): void
}

/** Accounting and queueing into a UDP socket. Kernel: net/ipv4/udp.c, __udp_enqueue_schedule_skb */
export const udpEnqueue = defineSystem<UdpEnqueue>(
  '__udp_enqueue_schedule_skb',
  'sock',
  'net/ipv4/udp.c, __udp_enqueue_schedule_skb',
  (context) => {
    const { DROP, EVENT, SKB, SNMP, STAGE, VIA } = NUMBERS

    const s = context.write(Sock)
    const { rcvbuf, rmemAlloc, rmemMax, queueHead, queueTail, queueCount, drops, fullTold, cpu: sockCpu, task } = s
    const { napi: sockNapi, connected, rxHash } = s
    const { truesize, next, flags, queue, hash } = context.write(Skb)
    const { napi: queueNapi } = context.read(RxQueue)
    const { told } = context.write(SockView)
    const { subscribed } = context.write(SleepView)
    const { heard } = context.write(Task)
    const { source, clockPs } = context.read(Cpu)
    const { plan, sources, firstTask } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const space = context.system(devNet)
    const count = context.system(counters)
    const ready = context.system(dataReady)
    const post = context.system(mail)
    const memory = context.system(udpMemory)
    const accounted = memory.accounted
    const { udpProducerQueue, udpMemErrors, udpRcvbufRule } = KERNEL_VERSIONS[plan.kernel]
    const overshoot = udpRcvbufRule === 'overshoot'

    function fits(sock: number, size: number): boolean {
      const rmem = rmemAlloc[sock]
      if (overshoot) return rmem <= rcvbuf[sock]
      return rmem + size <= rcvbuf[sock] || rmem === 0
    }

    function full(cpu: number, row: number, sock: number): void {
      drops[sock]++
      count.snmp(cpu, SNMP.UdpRcvbufErrors, 1)
      count.snmp(cpu, SNMP.UdpInErrors, 1)
      kfree(cpu, row, DROP.rcvbuf)
    }

    /** A datagram that fits its socket and finds all sockets together at udp_mem. */
    function noMemory(cpu: number, row: number, sock: number): void {
      drops[sock]++
      if (!udpProducerQueue) {
        if (udpMemErrors) count.snmp(cpu, SNMP.UdpMemErrors, 1)
        count.snmp(cpu, SNMP.UdpInErrors, 1)
      }
      kfree(cpu, row, DROP.protoMem)
    }

    function append(sock: number, row: number, size: number): void {
      rmemAlloc[sock] += size
      if (rmemAlloc[sock] > rmemMax[sock]) rmemMax[sock] = rmemAlloc[sock]
      next[row] = 0
      if (queueHead[sock] === 0) queueHead[sock] = row
      else next[queueTail[sock]] = row
      queueTail[sock] = row
      queueCount[sock]++
    }

    function local(cpu: number, row: number, sock: number, charged: boolean): boolean {
      const size = truesize[row]
      if (!fits(sock, size)) {
        if (charged) spend(cpu, STAGE.udp_drop, 1)
        full(cpu, row, sock)
        return false
      }
      if (charged) spend(cpu, STAGE.udp_enqueue, 1)
      if (accounted && !memory.schedule(cpu, sock, size)) {
        noMemory(cpu, row, sock)
        return false
      }
      if (sockCpu[sock] !== cpu) flags[row] |= SKB.remote
      append(sock, row, size)
      if (trace.on) trace.sockEnqueue(cpu, clockPs[cpu], row, sock)
      ready(cpu, sock, charged)
      return true
    }

    function mark(sock: number, row: number): void {
      if (queue[row] === 0) return
      const napi = queueNapi[queue[row]]
      if (connected[sock] !== 0) {
        rxHash[sock] = hash[row]
        sockNapi[sock] = napi
      } else if (sockNapi[sock] === 0) sockNapi[sock] = napi
    }

    return {
      local,
      mark,
      fromRemote(cpu, row, sock, from) {
        space.ofSocket(cpu, sock)
        flags[row] |= SKB.remote
        mark(sock, row)
        const from_ = source[from]
        const reader = task[sock]
        if (reader > 0) {
          subscribed[(reader - firstTask) * sources + from_] = 1
          heard[reader] = 1
        }
        const size = truesize[row]
        if (fits(sock, size)) {
          if (accounted && !memory.schedule(cpu, sock, size)) {
            noMemory(cpu, row, sock)
            return
          }
          append(sock, row, size)
          if (trace.on) trace.sockEnqueue(cpu, clockPs[cpu], row, sock)
          ready(cpu, sock, false)
          return
        }
        full(cpu, row, sock)
        const view = sock * sources + from_
        if (told[view] !== 0) return
        told[view] = 1
        fullTold[sock] = 1
        post.note(cpu, from, VIA.line, EVENT.socketView, sock, 1, 0)
      },
    }
  },
)

/**
 * Counts a datagram that a socket loses before it reaches it: in the socket's row, or, on a CPU of another partition, in
 * that CPU's view of it. Kernel: include/net/sock.h, sk_drops_inc
 */
export const sockDrops = defineSystem<(cpu: number, sock: number) => void>(
  'sk_drops_inc',
  'sock',
  'include/net/sock.h, sk_drops_inc',
  (context) => {
    const { drops, cpu: sockCpu } = context.write(Sock)
    const { drops: viewDrops } = context.write(SockView)
    const { source } = context.read(Cpu)
    const { partition } = context.read(Owner)
    const { sources } = context.resource(PLAN_CONSTANTS)
    return (cpu, sock) => {
      if (partition[cpu] === partition[sockCpu[sock]]) drops[sock]++
      else viewDrops[sock * sources + source[cpu]]++
    }
  },
)

/** Delivery of looked-up datagrams to their sockets. Kernel: net/ipv4/udp.c, udp_queue_rcv_one_skb */
export const udpQueueRcv = defineSystem<Stage>(
  'udp_queue_rcv_skb',
  'udp',
  'net/ipv4/udp.c, udp_queue_rcv_one_skb',
  (context) => {
    const { DROP, EVENT, SKB, SNMP, STAGE } = NUMBERS

    const s = context.write(Sock)
    const { cpu: sockCpu, udpGro, task } = s
    const skb = context.write(Skb)
    const { sock: skbSock, flags, fragHead, fragTail, next, queue, payload, frames, wireBytes, truesize, len } = skb
    const { full } = context.read(SockView)
    const { asleep } = context.write(SleepView)
    const { source, clockPs } = context.read(Cpu)
    const { partition } = context.read(Owner)
    const { sources, firstTask } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const count = context.system(counters)
    const dropped = context.system(sockDrops)
    const enqueue = context.system(udpEnqueue)
    const post = context.system(mail)
    const cutter = sendsSegments(context.resource(PLAN_CONSTANTS).plan) ? context.system(skbSegment) : null
    const filters = hasFilters(context.resource(PLAN_CONSTANTS).plan) ? context.system(skFilter) : null

    function remote(cpu: number, row: number, sock: number): void {
      const view = sock * sources + source[cpu]
      if (full[view] !== 0) {
        spend(cpu, STAGE.udp_drop, 1)
        dropped(cpu, sock)
        count.snmp(cpu, SNMP.UdpRcvbufErrors, 1)
        count.snmp(cpu, SNMP.UdpInErrors, 1)
        kfree(cpu, row, DROP.rcvbuf)
        return
      }
      spend(cpu, STAGE.udp_enqueue, 1)
      const reader = task[sock]
      if (reader > 0) {
        const sleep = (reader - firstTask) * sources + source[cpu]
        if (asleep[sleep] !== 0) {
          asleep[sleep] = 0
          spend(cpu, STAGE.wakeup, 1)
        }
      }
      const owner = sockCpu[sock]
      if (trace.on) trace.sockSend(cpu, clockPs[cpu], row, sock)
      post.packet(cpu, owner, EVENT.socketPacket, row, sock, cpu)
    }

    /** Checksum and filter of a socket that has one; false if the datagram is gone. */
    function passes(cpu: number, row: number, sock: number): boolean {
      let drop = -1
      if ((flags[row] & (SKB.csumBad | SKB.csumUnnecessary)) === SKB.csumBad) {
        count.snmp(cpu, SNMP.UdpInCsumErrors, 1)
        drop = DROP.udpCsumEnqueue
      } else if (filters?.trim(cpu, sock, row, UDP_HEADER_BYTES) === false) drop = DROP.socketFilter
      if (drop < 0) return true
      count.snmp(cpu, SNMP.UdpInErrors, 1)
      dropped(cpu, sock)
      kfree(cpu, row, drop)
      return false
    }

    function one(cpu: number, row: number): void {
      const sock = skbSock[row]
      if ((flags[row] & SKB.pfmemalloc) !== 0) {
        dropped(cpu, sock)
        count.snmp(cpu, SNMP.TcpExtPFMemallocDrop, 1)
        count.snmp(cpu, SNMP.UdpInErrors, 1)
        kfree(cpu, row, DROP.pfmemalloc)
        return
      }
      if (filters?.has(sock) === true && !passes(cpu, row, sock)) return
      if (partition[cpu] === partition[sockCpu[sock]]) {
        enqueue.mark(sock, row)
        enqueue.local(cpu, row, sock, true)
      } else remote(cpu, row, sock)
    }

    /** udp_rcv_segment: a merged packet for a socket without UDP_GRO is taken apart again. */
    function unfold(cpu: number, row: number): void {
      let segment = fragHead[row]
      const sock = skbSock[row]
      fragHead[row] = 0
      fragTail[row] = 0
      const segments = frames[row]
      for (let part = segment; part !== 0; part = next[part]) {
        frames[row] -= frames[part]
        wireBytes[row] -= wireBytes[part]
        truesize[row] -= truesize[part]
        len[row] -= payload[part]
        payload[row] -= payload[part]
      }
      flags[row] &= ~(SKB.gso | SKB.fragList)
      if (segments > 1) skb.gsoSize[row] = 0
      one(cpu, row)
      while (segment !== 0) {
        const following = next[segment]
        next[segment] = 0
        skbSock[segment] = sock
        skb.queue[segment] = queue[row]
        one(cpu, segment)
        segment = following
      }
    }

    return (ids, n, cpu) => {
      for (let i = 0; i < n; i++) {
        const row = ids[i]
        // A message that was sent whole becomes chained segments here.
        if (cutter !== null && (flags[row] & SKB.gso) !== 0 && fragHead[row] === 0 && udpGro[skbSock[row]] === 0)
          cutter.chain(cpu, row)
        if (fragHead[row] !== 0 && udpGro[skbSock[row]] === 0) unfold(cpu, row)
        else one(cpu, row)
      }
      return 0
    }
  },
)
