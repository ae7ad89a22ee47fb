import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Qdisc, QdiscBand } from './components.js'
import { fifo, type QdiscOps } from './fifo.js'
import { qdiscWatchdog } from './qdisc-watchdog.js'

/**
 * Token bucket: tokens are time at the rate, and a packet goes when there are enough for its bytes; else the watchdog looks
 * again when there will be. Kernel: net/sched/sch_tbf.c, tbf_enqueue, tbf_dequeue
 */
export const tbf = defineSystem<QdiscOps>('tbf', 'qdisc', 'net/sched/sch_tbf.c, tbf_dequeue', (context) => {
  const { BANDS, NET_XMIT } = NUMBERS

  const { byteTimePs, burstPs, maxSizeBytes, tokensPs, tokensAtPs, nowPs, overlimits } = context.write(Qdisc)
  const { head } = context.read(QdiscBand)
  const { wireBytes } = context.read(Skb)
  const watch = context.system(qdiscWatchdog)
  const queue = context.system(fifo)

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
