import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario'
import { hash32 } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { DEVICE } from '../count/device.js'
import { DROP, type DropName } from '../count/drops.js'
import { NAPIF, Napi } from '../napi/components.js'
import { NetDev } from '../nic/components.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { FlowBucket, FlowHistory, Softnet } from './components.js'

const FLOW_HISTORY = 128

/** The queue every CPU keeps for packets that come to it by netif_rx or by steering. */
export interface Backlog {
  /**
   * Puts a packet into `target`'s input_pkt_queue, or drops it; `from` is the CPU whose code does it. Returns 1 if it
   * was queued. The caller schedules the backlog NAPI when `needsSchedule` says so.
   */
  enqueue(target: number, row: number, from: number): number
  /** True if the last enqueue found the backlog idle and set SCHED. */
  needsSchedule(): boolean
}

/** Adds to a backlog queue. Kernel: net/core/dev.c, enqueue_to_backlog, skb_flow_limit */
export const backlog = defineSystem<Backlog>(
  'enqueue_to_backlog',
  'softnet',
  'net/core/dev.c, enqueue_to_backlog',
  (context) => {
    const sd = context.write(Softnet)
    const { inputHead, inputTail, inputCount, inputMax, backlogNapi, queueTail, dropped, flowLimitCount } = sd
    const { flowLimitOn, flowHistoryHead } = sd
    const { bucket: history } = context.write(FlowHistory)
    const { count: buckets } = context.write(FlowBucket)
    const { next, hash, dev } = context.write(Skb)
    const { state } = context.write(Napi)
    const { running, index: devIndex } = context.read(NetDev)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const { plan, sysctl, flowTableLength } = context.resource(PLAN_CONSTANTS)
    const maxBacklog = sysctl['net.core.netdev_max_backlog']
    const hashed = KERNEL_VERSIONS[plan.kernel].flowLimitSlot === 'hash_32'
    const tableBits = 31 - Math.clz32(flowTableLength)
    let scheduleWanted = false

    /** skb_flow_limit: true if the flow holds more than half of the last 128 packets of a queue that is half full. */
    function flowLimit(cpu: number, row: number): boolean {
      const slot = hashed ? hash32(hash[row], tableBits) : hash[row] & (flowTableLength - 1)
      const base = (flowLimitOn[cpu] - 1) * flowTableLength
      const position = cpu * FLOW_HISTORY + flowHistoryHead[cpu]
      const old = history[position]
      history[position] = slot
      flowHistoryHead[cpu] = (flowHistoryHead[cpu] + 1) & (FLOW_HISTORY - 1)
      if (buckets[base + old] > 0) buckets[base + old]--
      buckets[base + slot]++
      if (buckets[base + slot] <= FLOW_HISTORY / 2) return false
      flowLimitCount[cpu]++
      return true
    }

    function drop(target: number, row: number, place: DropName, softnetCounts: boolean): number {
      if (softnetCounts) dropped[target]++
      if (dev[row] !== 0) count.device(devIndex[dev[row]], target, DEVICE.rxDropped, 1)
      kfree(target, row, DROP[place])
      return 0
    }

    return {
      enqueue(target, row, from) {
        scheduleWanted = false
        if (dev[row] !== 0 && running[dev[row]] === 0) return drop(target, row, 'devNotReady', false)
        const queued = inputCount[target]
        if (queued > maxBacklog) return drop(target, row, 'backlog', true)
        if (flowLimitOn[from] !== 0 && queued >= maxBacklog >> 1 && flowLimit(from, row)) {
          return drop(target, row, 'flowLimit', true)
        }
        const napi = backlogNapi[target]
        if (queued === 0 && (state[napi] & NAPIF.sched) === 0) {
          state[napi] |= NAPIF.sched
          scheduleWanted = true
        }
        next[row] = 0
        if (inputHead[target] === 0) inputHead[target] = row
        else next[inputTail[target]] = row
        inputTail[target] = row
        inputCount[target] = queued + 1
        if (queued + 1 > inputMax[target]) inputMax[target] = queued + 1
        queueTail[target]++
        return 1
      },
      needsSchedule: () => scheduleWanted,
    }
  },
)
