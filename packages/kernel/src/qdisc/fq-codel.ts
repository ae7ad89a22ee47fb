import { defineSystem } from '@softnet/ecs'
import { reciprocalScale } from '@softnet/wire'
import { inetEcnSetCe } from '../ip/inet-ecn-set-ce.js'
import { skbHash } from '../netif/skb-hash.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Qdisc, QdiscFlow } from './components.js'
import type { QdiscOps } from './fifo.js'
import { flowLists } from './flow-lists.js'
import { qdiscAccount } from './qdisc-account.js'

/** How many intervals ago a flow may have dropped for its drop rate to be taken up again. Kernel: include/net/codel_impl.h, codel_dequeue */
const RESUME_INTERVALS = 16

/**
 * Flows by hash take turns by bytes, new ones first; each is kept short by CoDel, which drops what has waited too long for
 * too long. Over the limit, the fattest flow loses half of its packets. Kernel: net/sched/sch_fq_codel.c, fq_codel_enqueue,
 * fq_codel_dequeue; include/net/codel_impl.h, codel_dequeue
 */
export const fqCodel = defineSystem<QdiscOps>(
  'fq_codel',
  'qdisc',
  'net/sched/sch_fq_codel.c, fq_codel_enqueue',
  (context) => {
    const { DROP, NET_XMIT } = NUMBERS

    const d = context.write(Qdisc)
    const {
      limit,
      qlen,
      backlog,
      flowBase,
      flowCount,
      newHead,
      oldHead,
      nowPs,
      quantumBytes,
      memoryBytes,
      memoryLimit,
    } = d
    const { targetPs, intervalPs, mtuBytes, dropBatch, newFlows, dropOverlimit, dropOvermemory, maxPacketBytes } = d
    const { ecn, ecnMarks, ceThresholdPs, ceMarks } = d
    const f = context.write(QdiscFlow)
    const { bytes, packets, deficit, listed, count, lastCount, dropping, firstAbovePs, dropNextPs } = f
    const { wireBytes, truesize, duePs, frames } = context.write(Skb)
    const account = context.system(qdiscAccount)
    const flows = context.system(flowLists)
    const hashOf = context.system(skbHash)
    const congestion = context.system(inetEcnSetCe)

    /** Takes packets from the head of the fattest flow, at most a batch or half its bytes; returns the flow. Kernel: fq_codel_drop */
    function dropFattest(cpu: number, q: number): number {
      const base = flowBase[q]
      let fattest = base
      for (let flow = base + 1; flow < base + flowCount[q]; flow++) if (bytes[flow] > bytes[fattest]) fattest = flow
      const threshold = bytes[fattest] / 2
      let taken = 0
      for (let n = 0; n < dropBatch[q] && taken < threshold && packets[fattest] > 0; n++) {
        const row = flows.shift(fattest)
        taken += wireBytes[row]
        memoryBytes[q] -= truesize[row]
        account.dequeued(q, row)
        dropOverlimit[q]++
        account.drop(cpu, q, row, DROP.qdiscOverlimit)
      }
      return fattest
    }

    function take(q: number, flow: number): number {
      if (packets[flow] === 0) return 0
      const row = flows.shift(flow)
      memoryBytes[q] -= truesize[row]
      account.dequeued(q, row)
      return row
    }

    /** Whether a packet has waited too long for an interval. Kernel: codel_should_drop */
    function shouldDrop(q: number, flow: number, row: number): boolean {
      if (row === 0) {
        firstAbovePs[flow] = 0
        return false
      }
      if (wireBytes[row] > maxPacketBytes[q]) maxPacketBytes[q] = wireBytes[row]
      const now = nowPs[q]
      if (now - duePs[row] < targetPs[q] || backlog[q] <= mtuBytes[q]) {
        firstAbovePs[flow] = 0
        return false
      }
      if (firstAbovePs[flow] === 0) {
        firstAbovePs[flow] = now + intervalPs[q]
        return false
      }
      return now > firstAbovePs[flow]
    }

    function lose(cpu: number, q: number, row: number): void {
      account.drop(cpu, q, row, DROP.qdiscCongested)
    }

    /** Marks a packet instead of dropping it; false where it cannot be marked. */
    function marked(cpu: number, q: number, row: number): boolean {
      if (row === 0 || ecn[q] === 0 || !congestion(cpu, row)) return false
      ecnMarks[q]++
      return true
    }

    function controlLaw(q: number, atPs: number, n: number): number {
      return atPs + Math.floor(intervalPs[q] / Math.sqrt(n))
    }

    /** A flow that is dropping: as many as its rate says. */
    function whileDropping(cpu: number, q: number, flow: number, first: number, isOver: boolean): number {
      let row = first
      if (!isOver) {
        dropping[flow] = 0
        return row
      }
      while (dropping[flow] !== 0 && nowPs[q] >= dropNextPs[flow]) {
        count[flow]++
        if (marked(cpu, q, row)) {
          dropNextPs[flow] = controlLaw(q, dropNextPs[flow], count[flow])
          return row
        }
        lose(cpu, q, row)
        row = take(q, flow)
        if (shouldDrop(q, flow, row)) dropNextPs[flow] = controlLaw(q, dropNextPs[flow], count[flow])
        else dropping[flow] = 0
      }
      return row
    }

    function startDropping(cpu: number, q: number, flow: number, row: number): number {
      let following = row
      if (!marked(cpu, q, row)) {
        lose(cpu, q, row)
        following = take(q, flow)
        shouldDrop(q, flow, following)
      }
      dropping[flow] = 1
      const delta = count[flow] - lastCount[flow]
      const isRecent = nowPs[q] - dropNextPs[flow] < RESUME_INTERVALS * intervalPs[q]
      count[flow] = delta > 1 && isRecent ? delta : 1
      lastCount[flow] = count[flow]
      dropNextPs[flow] = controlLaw(q, nowPs[q], count[flow])
      return following
    }

    function codelDequeue(cpu: number, q: number, flow: number): number {
      const row = take(q, flow)
      if (row === 0) {
        dropping[flow] = 0
        return 0
      }
      const isOver = shouldDrop(q, flow, row)
      if (dropping[flow] !== 0) return whileDropping(cpu, q, flow, row, isOver)
      return isOver ? startDropping(cpu, q, flow, row) : row
    }

    return {
      enqueue(cpu, q, row) {
        const flow = flowBase[q] + reciprocalScale(hashOf(cpu, row), flowCount[q])
        duePs[row] = nowPs[q]
        const size = wireBytes[row]
        flows.push(flow, row)
        account.queued(q, row)
        if (listed[flow] === 0) {
          flows.append(q, flow, true)
          newFlows[q]++
          deficit[flow] = quantumBytes[q]
        }
        memoryBytes[q] += truesize[row]
        const isOvermemory = memoryBytes[q] > memoryLimit[q]
        if (qlen[q] <= limit[q] && !isOvermemory) return NET_XMIT.success
        const lost = frames[row]
        const before = dropOverlimit[q]
        const dropped = dropFattest(cpu, q)
        if (isOvermemory) dropOvermemory[q] += dropOverlimit[q] - before
        return dropped === flow && lost > 0 && size > 0 ? NET_XMIT.cn : NET_XMIT.success
      },
      dequeue(cpu, q) {
        for (;;) {
          const isNew = newHead[q] !== 0
          const flow = isNew ? newHead[q] : oldHead[q]
          if (flow === 0) return 0
          if (deficit[flow] <= 0) {
            deficit[flow] += quantumBytes[q]
            flows.rotate(q, isNew)
            continue
          }
          const row = codelDequeue(cpu, q, flow)
          if (row === 0) {
            // An empty new flow gets a turn among the old ones, so that it cannot stay new for ever.
            if (isNew && oldHead[q] !== 0) flows.rotate(q, true)
            else flows.remove(q, isNew)
            continue
          }
          // Kernel: include/net/codel_impl.h, codel_dequeue (ce_threshold)
          if (nowPs[q] - duePs[row] > ceThresholdPs[q] && congestion(cpu, row)) ceMarks[q]++
          deficit[flow] -= wireBytes[row]
          return row
        }
      },
    }
  },
)
