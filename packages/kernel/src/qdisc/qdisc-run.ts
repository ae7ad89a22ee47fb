import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { Dql, TxQueue } from '../nic/tx-components.js'
import { txRing } from '../nic/tx-ring.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmitNit } from '../packet/dev-queue-xmit-nit.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { type SkbSegment, sendsSegments, skbSegment } from '../skb/skb-segment.js'
import { raiseSoftirq } from '../softirq/raise.js'
import { OutputQueue, Qdisc } from './components.js'
import { dynamicQueueLimits } from './dql.js'
import { fq } from './fq.js'
import { fqCodel } from './fq-codel.js'
import { pluginFifo } from './plugin-fifo.js'
import { qdiscAccount } from './qdisc-account.js'
import { tbf } from './tbf.js'

/** Disciplines in motion; all of it on the CPU that owns the transmit queue. */
export interface QdiscRun {
  /**
   * Gives a packet to the discipline of a queue and runs it; `NET_XMIT`, or a negative errno. `pays`: the CPU is charged for
   * it, and now is its clock. A packet of another CPU was paid for there, and now is `Qdisc.nowPs`.
   */
  xmit(cpu: number, queue: number, row: number, pays: boolean): number
  /** Puts a discipline on the output queue and raises NET_TX. Kernel: __netif_schedule */
  schedule(cpu: number, queue: number): void
  /** Starts a run of at most dev_tx_weight packets. */
  begin(cpu: number, queue: number, pays: boolean): void
  /** One packet of the run: false when the run is over. Kernel: qdisc_restart */
  step(cpu: number, queue: number, pays: boolean): boolean
}

/** Kernel: net/core/dev.c, dev_tx_weight (net.core.dev_weight × dev_weight_tx_bias) */
const TX_WEIGHT = 64
/** Packets of one bulk where the queue has no byte limits. Kernel: net/sched/sch_generic.c, try_bulk_dequeue_skb_slow */
const SLOW_BULK = 1
const ENETDOWN = -100

/** Queueing, and the way to the driver. Kernel: net/core/dev.c, __dev_xmit_skb; net/sched/sch_generic.c, __qdisc_run, sch_direct_xmit */
export const qdiscRun = defineSystem<QdiscRun>(
  '__qdisc_run',
  'qdisc',
  'net/sched/sch_generic.c, __qdisc_run',
  (context) => {
    const { DEVICE, DROP, NET_XMIT, QDISC, SKB, SOFTIRQ, STAGE, XOFF } = NUMBERS

    const d = context.write(Qdisc)
    const { kind, qlen, requeueHead, requeueTail, running, scheduled, nextOutput, quota, bulkBytes, nowPs } = d
    const { sentPackets, sentBytes, requeues } = d
    const { head: outHead, tail: outTail } = context.write(OutputQueue)
    const { stopped } = context.read(TxQueue)
    const { index } = context.read(NetDev)
    const { on: bql } = context.read(Dql)
    const { next, frames, wireBytes, dev } = context.write(Skb)
    const { flags } = context.write(Skb)
    const { clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const rings = context.system(txRing)
    const limits = context.system(dynamicQueueLimits)
    const softirq = context.system(raiseSoftirq)
    const account = context.system(qdiscAccount)
    const fifoOps = context.system(pluginFifo)
    const codelOps = context.system(fqCodel)
    const fqOps = context.system(fq)
    const tbfOps = context.system(tbf)
    const cutter = sendsSegments(context.resource(PLAN_CONSTANTS).plan) ? context.system(skbSegment) : null
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const nit = context.system(devQueueXmitNit)

    /** A device without carrier: the sender is not told. Kernel: net/sched/sch_generic.c, noop_enqueue */
    function noopEnqueue(cpu: number, row: number): number {
      count.device(index[dev[row]], cpu, DEVICE.txDropped, frames[row])
      kfree(cpu, row, DROP.noopQdisc)
      return NET_XMIT.cn
    }

    function enqueue(cpu: number, q: number, row: number): number {
      switch (kind[q]) {
        case QDISC.fq_codel:
          return codelOps.enqueue(cpu, q, row)
        case QDISC.fq:
          return fqOps.enqueue(cpu, q, row)
        case QDISC.tbf:
          return tbfOps.enqueue(cpu, q, row)
        case QDISC.noop:
          return noopEnqueue(cpu, row)
        default:
          return fifoOps.enqueue(cpu, q, row)
      }
    }

    /** What the driver refused goes first. Kernel: net/sched/sch_generic.c, dequeue_skb */
    function dequeue(cpu: number, q: number): number {
      const row = requeueHead[q]
      if (row !== 0) {
        requeueHead[q] = next[row]
        if (requeueHead[q] === 0) requeueTail[q] = 0
        next[row] = 0
        account.dequeued(q, row)
        return row
      }
      return fromDiscipline(cpu, q)
    }

    function fromDiscipline(cpu: number, q: number): number {
      switch (kind[q]) {
        case QDISC.fq_codel:
          return codelOps.dequeue(cpu, q)
        case QDISC.fq:
          return fqOps.dequeue(cpu, q)
        case QDISC.tbf:
          return tbfOps.dequeue(cpu, q)
        default:
          return fifoOps.dequeue(cpu, q)
      }
    }

    function passes(q: number, row: number): void {
      sentPackets[q] += frames[row]
      sentBytes[q] += wireBytes[row]
    }

    /** Segments for a card that does not cut; what the ring has no room for waits at the head. Kernel: net/core/dev.c, validate_xmit_skb */
    function startCut(cpu: number, q: number, row: number, pays: boolean, cut: SkbSegment): void {
      const n = cut.cut(cpu, row)
      if (n === 0) account.drop(cpu, q, row, DROP.segmentFailed)
      for (let i = 0; i < n; i++) {
        const segment = cut.list[i]
        if ((stopped[q] & XOFF.driver) === 0) startOne(cpu, q, segment, pays)
        else if (kind[q] === QDISC.noqueue) account.drop(cpu, q, segment, DROP.noqueueBusy)
        else requeue(q, segment)
      }
    }

    /** Hands a packet to the driver, in as many pieces as the card wants. */
    function start(cpu: number, q: number, row: number, pays: boolean): void {
      if (cutter === null) startOne(cpu, q, row, pays)
      else if (cutter.isFor(row)) startCut(cpu, q, row, pays, cutter)
      else {
        cutter.linearize(cpu, row)
        startOne(cpu, q, row, pays)
      }
    }

    /** Hands a packet to the driver. Kernel: net/core/dev.c, xmit_one */
    function startOne(cpu: number, q: number, row: number, pays: boolean): void {
      if (trace.on) trace.tapOut(cpu, pays ? clockPs[cpu] : nowPs[q], row)
      if (nit.needed) {
        if ((flags[row] & SKB.tapped) === 0) nit.transmit(cpu, row)
        else flags[row] &= ~SKB.tapped
      }
      if (pays) spend(cpu, STAGE.ndo_start_xmit, 1)
      if (trace.on) trace.txPost(cpu, pays ? clockPs[cpu] : nowPs[q], row, q)
      rings.post(cpu, q, row)
    }

    function now(cpu: number, q: number, pays: boolean): void {
      if (pays && clockPs[cpu] > nowPs[q]) nowPs[q] = clockPs[cpu]
    }

    function requeue(q: number, row: number): void {
      next[row] = 0
      if (requeueHead[q] === 0) requeueHead[q] = row
      else next[requeueTail[q]] = row
      requeueTail[q] = row
      account.queued(q, row)
      requeues[q]++
    }

    /** The rest of a bulk that the ring had no room for. Kernel: net/sched/sch_generic.c, sch_direct_xmit, dev_requeue_skb */
    function putBack(cpu: number, q: number): void {
      while (bulkBytes[q] > 0) {
        const row = fromDiscipline(cpu, q)
        if (row === 0) return
        bulkBytes[q] -= wireBytes[row]
        requeue(q, row)
      }
    }

    function schedule(cpu: number, q: number): void {
      if (scheduled[q] !== 0) return
      scheduled[q] = 1
      nextOutput[q] = 0
      if (outHead[cpu] === 0) outHead[cpu] = q
      else nextOutput[outTail[cpu]] = q
      outTail[cpu] = q
      softirq.raise(cpu, SOFTIRQ.netTx)
    }

    function begin(cpu: number, q: number, pays: boolean): void {
      now(cpu, q, pays)
      running[q] = 1
      quota[q] = TX_WEIGHT
      bulkBytes[q] = 0
    }

    /** The bulk under way ends: the card is told of it. */
    function endBulk(cpu: number, q: number, pays: boolean): void {
      bulkBytes[q] = 0
      now(cpu, q, pays)
      rings.doorbell(q)
    }

    function step(cpu: number, q: number, pays: boolean): boolean {
      now(cpu, q, pays)
      if (stopped[q] !== 0) {
        running[q] = 0
        return false
      }
      const row = dequeue(cpu, q)
      if (row === 0) {
        endBulk(cpu, q, pays)
        running[q] = 0
        return false
      }
      if (trace.on) trace.qdiscDequeue(cpu, nowPs[q], row, q)
      if (bulkBytes[q] <= 0) bulkBytes[q] = bql[q] !== 0 ? Math.max(1, limits.avail(q)) : SLOW_BULK
      if (pays) spend(cpu, STAGE.qdisc, 1)
      passes(q, row)
      bulkBytes[q] -= wireBytes[row]
      start(cpu, q, row, pays)
      quota[q]--
      if ((stopped[q] & XOFF.driver) !== 0) putBack(cpu, q)
      if (bulkBytes[q] <= 0 || qlen[q] === 0 || stopped[q] !== 0 || quota[q] === 0) endBulk(cpu, q, pays)
      if (quota[q] > 0) return true
      running[q] = 0
      if (qlen[q] > 0) schedule(cpu, q)
      return false
    }

    /** No discipline: the ring takes it or it is lost. Kernel: net/core/dev.c, __dev_queue_xmit */
    function withoutQueue(cpu: number, q: number, row: number, pays: boolean): number {
      if (stopped[q] !== 0) {
        account.drop(cpu, q, row, DROP.noqueueBusy)
        return ENETDOWN
      }
      passes(q, row)
      start(cpu, q, row, pays)
      endBulk(cpu, q, pays)
      return NET_XMIT.success
    }

    return {
      schedule,
      begin,
      step,
      xmit(cpu, q, row, pays) {
        now(cpu, q, pays)
        if (trace.on) trace.xmit(cpu, nowPs[q], row)
        if (kind[q] === QDISC.noqueue) return withoutQueue(cpu, q, row, pays)
        const isFifo = kind[q] <= QDISC.bfifo
        const canBypass =
          (isFifo ? !fifoOps.hasPlugins : kind[q] === QDISC.fq_codel) && qlen[q] === 0 && running[q] === 0
        if (canBypass && stopped[q] === 0) {
          // An empty discipline is passed by. Kernel: TCQ_F_CAN_BYPASS
          passes(q, row)
          start(cpu, q, row, pays)
          endBulk(cpu, q, pays)
          return NET_XMIT.success
        }
        if (trace.on) trace.qdiscEnqueue(cpu, nowPs[q], row, q)
        const answer = enqueue(cpu, q, row)
        if (answer === NET_XMIT.drop) {
          account.drop(cpu, q, row, DROP.qdiscOverlimit)
          return NET_XMIT.drop
        }
        if (running[q] !== 0) return answer
        begin(cpu, q, pays)
        while (step(cpu, q, pays));
        return answer
      },
    }
  },
)
