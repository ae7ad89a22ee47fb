import { defineSystem, eventList } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { EVENT } from '../cpu/event-kinds.js'
import { TxQueue } from '../nic/tx-components.js'
import { Skb } from '../skb/components.js'
import { BANDS, NET_XMIT, Qdisc, QdiscBand } from './components.js'
import { fifo, type QdiscOps } from './fifo.js'

/**
 * Token bucket: tokens are time at the rate, and a packet goes when there are enough for its bytes; else the watchdog looks
 * again when there will be. Kernel: net/sched/sch_tbf.c, tbf_enqueue, tbf_dequeue
 */
export const tbf = defineSystem<QdiscOps>('tbf', 'qdisc', 'net/sched/sch_tbf.c, tbf_dequeue', (context) => {
  const { byteTimePs, burstPs, maxSizeBytes, tokensPs, tokensAtPs, nowPs, overlimits, timerPs, timerSequence } =
    context.write(Qdisc)
  const { head } = context.read(QdiscBand)
  const { wireBytes } = context.read(Skb)
  const { cpu: owner } = context.read(TxQueue)
  const { limitPs } = context.write(Cpu)
  const events = context.system(eventList)
  const queue = context.system(fifo)

  /** Kernel: net/sched/sch_api.c, qdisc_watchdog_schedule_ns */
  function watch(q: number, atPs: number): void {
    if (timerPs[q] <= atPs) return
    const cpu = owner[q]
    timerPs[q] = atPs
    timerSequence[q]++
    events.push(cpu, cpu, atPs, EVENT.qdiscTimer, q, timerSequence[q], 0)
    if (atPs < limitPs[cpu]) limitPs[cpu] = atPs
  }

  return {
    enqueue(cpu, q, row) {
      return wireBytes[row] > maxSizeBytes[q] ? NET_XMIT.drop : queue.enqueue(cpu, q, row)
    },
    dequeue(cpu, q) {
      const first = head[q * BANDS]
      if (first === 0) return 0
      const now = nowPs[q]
      const earned = Math.min(now - tokensAtPs[q], burstPs[q])
      const left = Math.min(tokensPs[q] + earned, burstPs[q]) - wireBytes[first] * byteTimePs[q]
      if (left >= 0) {
        tokensAtPs[q] = now
        tokensPs[q] = left
        return queue.dequeue(cpu, q)
      }
      watch(q, Math.ceil(now - left))
      overlimits[q]++
      return 0
    },
  }
})
