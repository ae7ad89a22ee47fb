import { defineSystem, mix32 } from '@softnet/ecs'
import { DROP } from '../count/drops.js'
import { skbHash } from '../netif/skb-hash.js'
import { SKB, Skb } from '../skb/components.js'
import { NET_XMIT, Qdisc, QdiscFlow } from './components.js'
import type { QdiscOps } from './fifo.js'
import { flowLists } from './flow-lists.js'
import { qdiscAccount } from './qdisc-account.js'

/**
 * Flows take turns by credit, new ones first; a socket is a flow, and what has none is told apart by hash. Packets wait for
 * their flow alone, a hundred at most. Kernel: net/sched/sch_fq.c, fq_enqueue, fq_dequeue
 */
export const fq = defineSystem<QdiscOps>('fq', 'qdisc', 'net/sched/sch_fq.c, fq_enqueue', (context) => {
  const d = context.write(Qdisc)
  const { limit, qlen, flowBase, flowCount, newHead, oldHead, quantumBytes, initialQuantumBytes, flowLimit } = d
  const { newFlows, flowDrops } = d
  const { packets, deficit: credit, listed } = context.write(QdiscFlow)
  const { wireBytes, sock, flags } = context.read(Skb)
  const account = context.system(qdiscAccount)
  const flows = context.system(flowLists)
  const hashOf = context.system(skbHash)

  /** Kernel: net/sched/sch_fq.c, fq_classify */
  function classify(cpu: number, q: number, row: number): number {
    const isOwned = (flags[row] & SKB.charged) !== 0
    const key = isOwned ? mix32(sock[row], 0x66710000) : hashOf(cpu, row)
    return flowBase[q] + (key % flowCount[q])
  }

  return {
    enqueue(cpu, q, row) {
      if (qlen[q] >= limit[q]) return NET_XMIT.drop
      const flow = classify(cpu, q, row)
      if (packets[flow] >= flowLimit[q]) {
        flowDrops[q]++
        account.drop(cpu, q, row, DROP.fqFlowLimit)
        return NET_XMIT.cn
      }
      flows.push(flow, row)
      account.queued(q, row)
      if (listed[flow] === 0) {
        flows.append(q, flow, true)
        newFlows[q]++
        if (credit[flow] < quantumBytes[q]) credit[flow] = initialQuantumBytes[q]
      }
      return NET_XMIT.success
    },
    dequeue(_cpu, q) {
      for (;;) {
        const isNew = newHead[q] !== 0
        const flow = isNew ? newHead[q] : oldHead[q]
        if (flow === 0) return 0
        if (credit[flow] <= 0) {
          credit[flow] += quantumBytes[q]
          flows.rotate(q, isNew)
          continue
        }
        if (packets[flow] === 0) {
          if (isNew && oldHead[q] !== 0) flows.rotate(q, true)
          else flows.remove(q, isNew)
          continue
        }
        const row = flows.shift(flow)
        account.dequeued(q, row)
        credit[flow] -= wireBytes[row]
        return row
      }
    },
  }
})
