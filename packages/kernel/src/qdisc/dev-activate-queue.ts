import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { TxQueue } from '../nic/tx-components.js'
import { txRing } from '../nic/tx-ring.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { Qdisc, QdiscBand, QdiscFlow } from './components.js'

/** Gives a transmit queue of this CPU its discipline back, or noop in its place, and frees what had waited there. */
export type DevActivateQueue = (cpu: number, queue: number, isActive: boolean) => void

/** Kernel: net/sched/sch_generic.c, transition_one_qdisc, dev_deactivate_queue, qdisc_reset */
export const devActivateQueue = defineSystem<DevActivateQueue>(
  'dev_deactivate_queue',
  'qdisc',
  'net/sched/sch_generic.c, dev_deactivate_queue',
  (context) => {
    const { BANDS, DROP, QDISC } = NUMBERS

    const d = context.write(Qdisc)
    const band = context.write(QdiscBand)
    const flow = context.write(QdiscFlow)
    const { next } = context.write(Skb)
    const { transStartPs } = context.write(TxQueue)
    const { clockPs } = context.read(Cpu)
    const kfree = context.system(kfreeSkb)
    const rings = context.system(txRing)

    function purge(cpu: number, first: number): void {
      for (let row = first; row !== 0; ) {
        const following = next[row]
        next[row] = 0
        kfree(cpu, row, DROP.qdiscReset)
        row = following
      }
    }

    function resetFlows(cpu: number, q: number): void {
      for (let f = d.flowBase[q]; f < d.flowBase[q] + d.flowCount[q]; f++) {
        purge(cpu, flow.head[f])
        flow.head[f] = 0
        flow.tail[f] = 0
        flow.packets[f] = 0
        flow.bytes[f] = 0
        flow.listed[f] = 0
        flow.next[f] = 0
        flow.count[f] = 0
        flow.lastCount[f] = 0
        flow.dropping[f] = 0
        flow.firstAbovePs[f] = 0
        flow.dropNextPs[f] = 0
        flow.nextPs[f] = 0
      }
      d.delayedHead[q] = 0
      d.newHead[q] = 0
      d.newTail[q] = 0
      d.oldHead[q] = 0
      d.oldTail[q] = 0
      d.memoryBytes[q] = 0
    }

    /** Kernel: qdisc_reset, and the reset of each discipline */
    function reset(cpu: number, q: number): void {
      purge(cpu, d.requeueHead[q])
      d.requeueHead[q] = 0
      d.requeueTail[q] = 0
      for (let b = q * BANDS; b < (q + 1) * BANDS; b++) {
        purge(cpu, band.head[b])
        band.head[b] = 0
        band.tail[b] = 0
        band.count[b] = 0
      }
      resetFlows(cpu, q)
      d.qlen[q] = 0
      d.backlog[q] = 0
      d.tokensPs[q] = d.burstPs[q]
      d.tokensAtPs[q] = clockPs[cpu]
      d.timerSequence[q]++
      d.timerPs[q] = Number.POSITIVE_INFINITY
    }

    return (cpu, q, isActive) => {
      if (isActive) {
        d.kind[q] = d.sleeping[q]
        transStartPs[q] = clockPs[cpu]
        return
      }
      d.kind[q] = QDISC.noop
      // The bulk under way is with the card.
      d.bulkBytes[q] = 0
      if (clockPs[cpu] > d.nowPs[q]) d.nowPs[q] = clockPs[cpu]
      rings.doorbell(q)
      reset(cpu, q)
    }
  },
)
