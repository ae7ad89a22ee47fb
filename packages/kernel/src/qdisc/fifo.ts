import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Qdisc, QdiscBand } from './components.js'
import { qdiscAccount } from './qdisc-account.js'

/** A discipline of a transmit queue: both functions work on `Qdisc.nowPs`. */
export interface QdiscOps {
  /** Takes a packet, or says that it has no room (`NET_XMIT.drop`): then the packet is still the caller's. */
  enqueue(cpu: number, queue: number, row: number): number
  /** The packet that goes next, 0 for none now. */
  dequeue(cpu: number, queue: number): number
}

/** A discipline of packets in order, for others that stand on it. */
export interface Fifo extends QdiscOps {
  /** Band that a packet belongs to: by its priority in pfifo_fast, else 0. */
  bandOf(queue: number, row: number): number
  /** As `enqueue`, into a band of the caller's choice. */
  enqueueIn(queue: number, row: number, band: number): number
  /** The packet that `dequeue` would give, 0 for none. */
  peek(queue: number): number
}

/** Band of each priority. Kernel: net/sched/sch_generic.c, sch_default_prio2band */
const PRIO2BAND = Uint8Array.of(1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)

/**
 * Packets in order: one queue (pfifo, bfifo, the queue of tbf), or three by priority with a limit each (pfifo_fast).
 * Kernel: net/sched/sch_generic.c, pfifo_fast_enqueue; net/sched/sch_fifo.c, pfifo_enqueue, bfifo_enqueue
 */
export const fifo = defineSystem<Fifo>(
  'pfifo_fast',
  'qdisc',
  'net/sched/sch_generic.c, pfifo_fast_enqueue',
  (context) => {
    const { BANDS, NET_XMIT, QDISC } = NUMBERS

    const { kind, limit, backlog, qlen } = context.read(Qdisc)
    const { head, tail, count } = context.write(QdiscBand)
    const { next, priority, wireBytes } = context.write(Skb)

    const account = context.system(qdiscAccount)

    function hasRoom(q: number, band: number, row: number): boolean {
      if (kind[q] === QDISC.bfifo || kind[q] === QDISC.tbf) return backlog[q] + wireBytes[row] <= limit[q]
      return kind[q] === QDISC.pfifo ? qlen[q] < limit[q] : count[band] < limit[q]
    }

    function bandOf(q: number, row: number): number {
      return kind[q] === QDISC.pfifo_fast ? PRIO2BAND[priority[row] & 15] : 0
    }

    function enqueueIn(q: number, row: number, index: number): number {
      const band = q * BANDS + index
      if (!hasRoom(q, band, row)) return NET_XMIT.drop
      next[row] = 0
      if (head[band] === 0) head[band] = row
      else next[tail[band]] = row
      tail[band] = row
      count[band]++
      account.queued(q, row)
      return NET_XMIT.success
    }

    return {
      bandOf,
      enqueueIn,
      enqueue: (_cpu, q, row) => enqueueIn(q, row, bandOf(q, row)),
      peek(q) {
        for (let band = q * BANDS; band < (q + 1) * BANDS; band++) if (head[band] !== 0) return head[band]
        return 0
      },
      dequeue(_cpu, q) {
        for (let band = q * BANDS; band < (q + 1) * BANDS; band++) {
          const row = head[band]
          if (row === 0) continue
          head[band] = next[row]
          if (head[band] === 0) tail[band] = 0
          next[row] = 0
          count[band]--
          account.dequeued(q, row)
          return row
        }
        return 0
      },
    }
  },
)
