import { defineSystem } from '@softnet/ecs'
import { Skb } from '../skb/components.js'
import { Qdisc, QdiscFlow } from './components.js'

/** Packets of flows, and the lists flows take turns in. */
export interface FlowLists {
  /** Puts a packet behind those of its flow. */
  push(flow: number, row: number): void
  /** First packet of a flow that has one. */
  shift(flow: number): number
  /** Puts a flow behind the new or the old ones. */
  append(queue: number, flow: number, isNew: boolean): void
  /** Moves the first new or old flow behind the old ones. */
  rotate(queue: number, isNew: boolean): void
  /** Takes the first new or old flow off its list. */
  remove(queue: number, isNew: boolean): void
}

/** Lists of fq_codel and fq. Kernel: net/sched/sch_fq_codel.c, list_move_tail, list_del_init; net/sched/sch_fq.c, fq_flow_add_tail */
export const flowLists = defineSystem<FlowLists>('qdisc_flows', 'qdisc', 'net/sched/sch_fq_codel.c', (context) => {
  const { newHead, newTail, oldHead, oldTail } = context.write(Qdisc)
  const { head, tail, packets, bytes, listed, next: nextFlow } = context.write(QdiscFlow)
  const { next, wireBytes } = context.write(Skb)

  function append(q: number, flow: number, isNew: boolean): void {
    const first = isNew ? newHead : oldHead
    const last = isNew ? newTail : oldTail
    nextFlow[flow] = 0
    if (first[q] === 0) first[q] = flow
    else nextFlow[last[q]] = flow
    last[q] = flow
    listed[flow] = 1
  }

  function remove(q: number, isNew: boolean): void {
    const first = isNew ? newHead : oldHead
    const flow = first[q]
    first[q] = nextFlow[flow]
    if (first[q] === 0) (isNew ? newTail : oldTail)[q] = 0
    listed[flow] = 0
  }

  return {
    push(flow, row) {
      next[row] = 0
      if (head[flow] === 0) head[flow] = row
      else next[tail[flow]] = row
      tail[flow] = row
      packets[flow]++
      bytes[flow] += wireBytes[row]
    },
    shift(flow) {
      const row = head[flow]
      head[flow] = next[row]
      if (head[flow] === 0) tail[flow] = 0
      next[row] = 0
      packets[flow]--
      bytes[flow] -= wireBytes[row]
      return row
    },
    append,
    rotate(q, isNew) {
      const flow = isNew ? newHead[q] : oldHead[q]
      remove(q, isNew)
      append(q, flow, false)
    },
    remove,
  }
})
