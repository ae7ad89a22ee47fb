import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb, skbPool } from '../skb/skb-pool.js'
import { SoftirqState } from '../softirq/components.js'
import { Sock } from './components.js'
import { dataReady } from './data-ready.js'
import { skFilter } from './sk-filter.js'
import { hasFilters } from './sk-filter-components.js'

/** Receive queues of sockets that keep to the plain rule: raw, ping and packet sockets. */
export interface SockQueueRcv {
  /**
   * Filters a packet and puts it at the end of the queue, or frees it with one of the two drop places (full, filtered). True if
   * it was queued. Kernel: net/core/sock.c, sock_queue_rcv_skb_reason
   */
  enqueue(cpu: number, row: number, sock: number, full: number, filtered: number): boolean
  /** Charges a packet to the socket and puts it at the end of the queue. Kernel: net/core/sock.c, __sock_queue_rcv_skb */
  append(cpu: number, row: number, sock: number): void
  /** Takes the first packet off, 0 if there is none; it has to be ended by `finish`. Kernel: net/core/datagram.c, skb_recv_datagram */
  take(cpu: number, sock: number): number
  /** Copies `bytes` of a packet to the reader and frees it. Kernel: net/core/datagram.c, skb_free_datagram */
  finish(cpu: number, row: number, sock: number, bytes: number): void
}

/** A packet fits while the socket holds less than its buffer, so that it may go over by one. Kernel: net/core/sock.c, __sock_queue_rcv_skb */
export const sockQueueRcv = defineSystem<SockQueueRcv>(
  'sock_queue_rcv_skb',
  'sock',
  'net/core/sock.c, __sock_queue_rcv_skb',
  (context) => {
    const { STAGE } = NUMBERS

    const s = context.write(Sock)
    const { rcvbuf, rmemAlloc, rmemMax, queueHead, queueTail, queueCount, drops, received } = s
    const { truesize, next, frames } = context.write(Skb)
    const { clockPs, packetPool } = context.read(Cpu)
    const { bhEnabled } = context.write(SoftirqState)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const pool = context.system(skbPool)
    const count = context.system(counters)
    const ready = context.system(dataReady)
    const filters = hasFilters(context.resource(PLAN_CONSTANTS).plan) ? context.system(skFilter) : null

    function append(cpu: number, row: number, sock: number): void {
      rmemAlloc[sock] += truesize[row]
      if (rmemAlloc[sock] > rmemMax[sock]) rmemMax[sock] = rmemAlloc[sock]
      next[row] = 0
      if (queueHead[sock] === 0) queueHead[sock] = row
      else next[queueTail[sock]] = row
      queueTail[sock] = row
      queueCount[sock]++
      if (trace.on) trace.sockEnqueue(cpu, clockPs[cpu], row, sock)
      ready(cpu, sock, true)
    }

    return {
      append,
      enqueue(cpu, row, sock, full, filtered) {
        if (filters?.has(sock) === true && !filters.trim(cpu, sock, row, 1)) {
          kfree(cpu, row, filtered)
          return false
        }
        if (rmemAlloc[sock] >= rcvbuf[sock]) {
          drops[sock]++
          kfree(cpu, row, full)
          return false
        }
        append(cpu, row, sock)
        return true
      },
      take(cpu, sock) {
        bhEnabled[cpu] = 1
        const row = queueHead[sock]
        if (row === 0) return 0
        queueHead[sock] = next[row]
        if (queueHead[sock] === 0) queueTail[sock] = 0
        queueCount[sock]--
        next[row] = 0
        rmemAlloc[sock] -= truesize[row]
        received[sock]++
        return row
      },
      finish(cpu, row, sock, bytes) {
        if (trace.on) trace.sockRead(cpu, clockPs[cpu], row, sock, bytes)
        spend(cpu, STAGE.recvmsg, 1)
        spend(cpu, STAGE.copy_to_user, bytes)
        spend(cpu, STAGE.consume_skb, 1)
        count.consume(cpu, frames[row])
        if (trace.on) trace.consumeSkb(cpu, clockPs[cpu], row)
        pool.release(row, packetPool[cpu])
      },
    }
  },
)
