import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { hash32 } from '@softnet/wire'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { powerOfTwo } from '../build/sizes.js'
import { counters } from '../count/counters.js'
import type { DropName } from '../count/drops.js'
import { mail } from '../cpu/mail.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { Napi } from '../napi/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { BACKLOG_LEVEL, BacklogView, FlowBucket, FlowHistory, Softnet } from './components.js'
import { bindSetting } from './live-settings.js'

const FLOW_HISTORY = 128

/** How full a backlog of `queued` packets is, see `BACKLOG_LEVEL`. Kernel: net/core/dev.c, enqueue_to_backlog, skb_flow_limit */
export function backlogLevel(queued: number, maxBacklog: number): number {
  if (queued > maxBacklog) return BACKLOG_LEVEL.full
  return queued >= maxBacklog >> 1 ? BACKLOG_LEVEL.half : BACKLOG_LEVEL.low
}

/** The queue every CPU keeps for packets that come to it by netif_rx or by steering. */
export interface Backlog {
  /**
   * Puts a packet of this CPU (`from` 0) or of another one into `cpu`'s own input_pkt_queue, or drops it. Returns 1 if it was queued.
   * The caller schedules the backlog NAPI when `needsSchedule` says so.
   */
  enqueue(cpu: number, row: number, from: number): number
  /** The flow limit of `cpu` for a packet it is about to send to `target`: true if it dropped the packet. */
  refuses(cpu: number, target: number, row: number): boolean
  /** process_backlog has taken the whole input_pkt_queue. */
  emptied(cpu: number): void
  /** True if the last enqueue found the backlog idle and set SCHED. */
  needsSchedule(): boolean
}

/** Adds to a backlog queue. Kernel: net/core/dev.c, enqueue_to_backlog, skb_flow_limit */
export const backlog = defineSystem<Backlog>(
  'enqueue_to_backlog',
  'softnet',
  'net/core/dev.c, enqueue_to_backlog',
  (context) => {
    const { BACKLOG_LEVEL, DEV, DEVICE, DROP, EVENT, NAPIF, VIA } = NUMBERS

    const sd = context.write(Softnet)
    const { inputHead, inputTail, inputCount, inputMax, backlogNapi, queueTail, dropped, flowLimitCount } = sd
    const { flowLimitOn, flowHistoryHead, inputLevel } = sd
    const { level: believedLevel, dropped: viewDropped } = context.write(BacklogView)
    const { bucket: history } = context.write(FlowHistory)
    const { count: buckets } = context.write(FlowBucket)
    const { next, hash, dev, backlogFrom } = context.write(Skb)
    const { state } = context.write(Napi)
    const { index: devIndex } = context.read(NetDev)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const post = context.system(mail)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan, flowTableRows, cpuOfNumber, cpuBase, cpuCount, cpuRows } = constants
    const maxBacklog = bindSetting(context, 'maxBacklog')
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    const hashed = KERNEL_VERSIONS[plan.kernel].flowLimitSlot === 'hash_32'
    const tableLength = perCpu(constants, ({ sysctl }) => powerOfTwo(sysctl['net.core.flow_limit_table_len']))
    const tableBits = tableLength.map((length) => 31 - Math.clz32(length))
    let scheduleWanted = false

    /** skb_flow_limit, for a queue that is half full: true if the flow holds more than half of the last 128 packets. */
    function flowLimit(cpu: number, row: number): boolean {
      const slot = hashed ? hash32(hash[row], tableBits[cpu]) : hash[row] & (tableLength[cpu] - 1)
      const base = (flowLimitOn[cpu] - 1) * flowTableRows
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

    /** Kernel: include/linux/netdevice.h, netif_running */
    function isDown(cpu: number, row: number): boolean {
      if (views === null || dev[row] === 0) return false
      return (views[devIndex[dev[row]] * cpuRows + cpu] & DEV.down) !== 0
    }

    function drop(cpu: number, row: number, place: DropName): number {
      if (dev[row] !== 0) count.device(devIndex[dev[row]], cpu, DEVICE.rxDropped, 1)
      kfree(cpu, row, DROP[place])
      return 0
    }

    const isLimiting = plan.hosts.some(({ sysctl }) => sysctl['net.core.flow_limit_cpu_bitmap'].length > 0)

    /** CPUs with a flow limit learn how full the queue is; others do not ask. */
    function tellLevel(cpu: number): void {
      const level = backlogLevel(inputCount[cpu], maxBacklog[cpu])
      if (level === inputLevel[cpu]) return
      inputLevel[cpu] = level
      for (let i = cpuBase[cpu]; i < cpuBase[cpu] + cpuCount[cpu]; i++) {
        const to = cpuOfNumber[i]
        if (flowLimitOn[to] === 0 || to === cpu || !post.connected(cpu, to)) continue
        post.note(cpu, to, VIA.line, EVENT.backlogLevel, cpu, level, 0)
      }
    }

    return {
      enqueue(cpu, row, from) {
        scheduleWanted = false
        if (views !== null && isDown(cpu, row)) return drop(cpu, row, 'devNotReady')
        const queued = inputCount[cpu]
        if (queued > maxBacklog[cpu]) {
          dropped[cpu]++
          return drop(cpu, row, 'backlog')
        }
        if (from === 0 && flowLimitOn[cpu] !== 0 && queued >= maxBacklog[cpu] >> 1 && flowLimit(cpu, row)) {
          dropped[cpu]++
          return drop(cpu, row, 'flowLimit')
        }
        const napi = backlogNapi[cpu]
        if (queued === 0 && (state[napi] & NAPIF.sched) === 0) {
          state[napi] |= NAPIF.sched
          scheduleWanted = true
        }
        next[row] = 0
        backlogFrom[row] = from
        if (inputHead[cpu] === 0) inputHead[cpu] = row
        else next[inputTail[cpu]] = row
        inputTail[cpu] = row
        inputCount[cpu] = queued + 1
        if (queued + 1 > inputMax[cpu]) inputMax[cpu] = queued + 1
        queueTail[cpu]++
        if (isLimiting) tellLevel(cpu)
        return 1
      },
      refuses(cpu, target, row) {
        if (flowLimitOn[cpu] === 0) return false
        const pair = cpu * cpuRows + target
        if (believedLevel[pair] !== BACKLOG_LEVEL.half) return false
        if (isDown(cpu, row)) return false
        if (!flowLimit(cpu, row)) return false
        viewDropped[pair]++
        drop(cpu, row, 'flowLimit')
        return true
      },
      emptied(cpu) {
        inputHead[cpu] = 0
        inputTail[cpu] = 0
        inputCount[cpu] = 0
        if (isLimiting) tellLevel(cpu)
      },
      needsSchedule: () => scheduleWanted,
    }
  },
)
