import { defineSystem, mix32 } from '@softnet/ecs'
import { skbHash } from '../netif/skb-hash.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { Qdisc, QdiscFlow } from './components.js'
import type { QdiscOps } from './fifo.js'
import { flowLists } from './flow-lists.js'
import { qdiscAccount } from './qdisc-account.js'
import { qdiscWatchdog } from './qdisc-watchdog.js'

/** Bytes per second up to which packets are paced one by one. Kernel: net/sched/sch_fq.c, low_rate_threshold */
const LOW_RATE = 550_000 / 8
/** Kernel: net/sched/sch_fq.c, timer_slack */
const TIMER_SLACK_PS = 10e6
const NS_PER_SECOND = 1e9
const PS_PER_NS = 1000
const THROTTLED = 2

/**
 * Flows take turns by credit, new ones first; a socket is a flow, and what has none is told apart by hash. Packets wait for
 * their flow alone, a hundred at most. Kernel: net/sched/sch_fq.c, fq_enqueue, fq_dequeue
 */
export const fq = defineSystem<QdiscOps>('fq', 'qdisc', 'net/sched/sch_fq.c, fq_enqueue', (context) => {
  const { DROP, NET_XMIT, SKB } = NUMBERS

  const d = context.write(Qdisc)
  const { limit, qlen, flowBase, flowCount, newHead, oldHead, quantumBytes, initialQuantumBytes, flowLimit } = d
  const { newFlows, flowDrops, delayedHead, throttled, nowPs } = d
  const { packets, deficit: credit, listed, next: nextFlow, nextPs } = context.write(QdiscFlow)
  const { pacingRate } = context.read(SockSend)
  const { wireBytes, sock, flags } = context.read(Skb)
  const account = context.system(qdiscAccount)
  const flows = context.system(flowLists)
  const hashOf = context.system(skbHash)
  const watch = context.system(qdiscWatchdog)

  /** Kernel: net/sched/sch_fq.c, fq_classify */
  function classify(cpu: number, q: number, row: number): number {
    const isOwned = (flags[row] & SKB.charged) !== 0
    const key = isOwned ? mix32(sock[row], 0x66710000) : hashOf(cpu, row)
    return flowBase[q] + (key % flowCount[q])
  }

  /** The flow waits for its time, behind those whose time comes earlier. Kernel: net/sched/sch_fq.c, fq_flow_set_throttled */
  function delay(q: number, flow: number): void {
    let before = 0
    let after = delayedHead[q]
    while (after !== 0 && nextPs[after] <= nextPs[flow]) {
      before = after
      after = nextFlow[after]
    }
    nextFlow[flow] = after
    if (before === 0) delayedHead[q] = flow
    else nextFlow[before] = flow
    listed[flow] = THROTTLED
    throttled[q]++
  }

  /** Flows whose time has come take turns again. Kernel: net/sched/sch_fq.c, fq_check_throttled */
  function wakeFlows(q: number): void {
    for (let flow = delayedHead[q]; flow !== 0 && nextPs[flow] <= nowPs[q]; flow = delayedHead[q]) {
      delayedHead[q] = nextFlow[flow]
      flows.append(q, flow, false)
    }
  }

  /** When the next packet of a paced socket may go: by quanta, and single packets below the low rate. Kernel: fq_dequeue */
  function pace(q: number, flow: number, row: number): void {
    const rate = pacingRate[sock[row]]
    let size = wireBytes[row]
    if (rate <= LOW_RATE) credit[flow] = 0
    else {
      if (credit[flow] > 0) return
      size = Math.max(size, quantumBytes[q])
    }
    let ns = Math.min(Math.floor((size * NS_PER_SECOND) / rate), NS_PER_SECOND)
    if (nextPs[flow] !== 0) ns -= Math.min(Math.floor(ns / 2), Math.floor((nowPs[q] - nextPs[flow]) / PS_PER_NS))
    nextPs[flow] = nowPs[q] + ns * PS_PER_NS
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
      if (delayedHead[q] !== 0) wakeFlows(q)
      for (;;) {
        const isNew = newHead[q] !== 0
        const flow = isNew ? newHead[q] : oldHead[q]
        if (flow === 0) {
          if (delayedHead[q] !== 0) watch(q, nextPs[delayedHead[q]] + TIMER_SLACK_PS)
          return 0
        }
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
        if (nowPs[q] < nextPs[flow]) {
          flows.remove(q, isNew)
          delay(q, flow)
          continue
        }
        const row = flows.shift(flow)
        account.dequeued(q, row)
        credit[flow] -= wireBytes[row]
        if ((flags[row] & SKB.charged) !== 0 && pacingRate[sock[row]] > 0) pace(q, flow, row)
        return row
      }
    },
  }
})
