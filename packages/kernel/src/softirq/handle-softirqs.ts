import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu, TRACE_SINK } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ipExpire } from '../defrag/ip-expire.js'
import { Napi } from '../napi/components.js'
import { napiPoll } from '../napi/napi-poll.js'
import { napiQuota } from '../napi/napi-quota.js'
import { steer } from '../netif/steer.js'
import { NUMBERS } from '../numbers.js'
import { netTxAction } from '../qdisc/net-tx-action.js'
import { Softnet } from '../softnet/components.js'
import { bindSetting } from '../softnet/live-settings.js'
import { RunQueue, Task } from '../task/components.js'
import { SoftirqCount, SoftirqState } from './components.js'
import { raiseSoftirq } from './raise.js'

/** The softirq engine of a CPU. */
export interface HandleSoftirqs {
  /** irq_exit or local_bh_enable: starts softirqs if they may run here; true if it did. */
  tryStart(cpu: number): boolean
  /** Starts them in ksoftirqd. */
  startInKsoftirqd(cpu: number): void
  /** Goes on until the CPU's limit or the end. */
  run(cpu: number): void
}

const RESTARTS = 10

/**
 * Softirq loop and net_rx_action: vectors in priority order, at most ten passes or two milliseconds, the packet budget
 * and the jiffy limit of reception, and ksoftirqd for what is left. Kernel: kernel/softirq.c, handle_softirqs;
 * net/core/dev.c, net_rx_action
 */
export const handleSoftirqs = defineSystem<HandleSoftirqs>(
  'handle_softirqs',
  'softirq',
  'kernel/softirq.c, handle_softirqs',
  (context) => {
    const { CONTEXT, NAPIF, SOFTIRQ, SOFTIRQ_PHASE, STAGE, TASK_STATE } = NUMBERS

    const s = context.write(SoftirqState)
    const { pending, bits, active, phase, restarts, endJiffy, returnContext, budget, deadlineJiffy } = s
    const { listHead, listTail, repollHead, repollTail, polled, ksoftirqd, bhDisabled } = s
    const { count: runs } = context.write(SoftirqCount)
    const sd = context.write(Softnet)
    const { pollHead, pollTail, inNetRx, timeSqueeze, squeezeBudget, squeezeTime, ipiHead, deferCount, deferIpi } = sd
    const { next, state, work } = context.write(Napi)
    const { state: taskState } = context.read(Task)
    const { needResched } = context.read(RunQueue)
    const { clockPs, limitPs, context: cpuContext } = context.write(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan, jiffyPs } = constants
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const poll = context.system(napiPoll)
    const quota = context.system(napiQuota)
    const steering = context.system(steer)
    const raise = context.system(raiseSoftirq)
    const expire = context.system(ipExpire)
    const output = context.system(netTxAction)
    const policy = KERNEL_VERSIONS[plan.kernel]
    const budgetPackets = bindSetting(context, 'budgetPackets')
    const budgetJiffies = bindSetting(context, 'budgetJiffies')
    const maxJiffies = perCpu(constants, ({ hz }) => Math.max(1, Math.ceil((2 * hz) / 1000)))

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function begin(cpu: number, mode: number, withContext: number): void {
      active[cpu] = mode
      returnContext[cpu] = cpuContext[cpu]
      cpuContext[cpu] = withContext
      restarts[cpu] = RESTARTS
      endJiffy[cpu] = jiffies(cpu) + maxJiffies[cpu]
      phase[cpu] = SOFTIRQ_PHASE.passBegin
    }

    function passBegin(cpu: number): void {
      spend(cpu, STAGE.softirq, 1)
      bits[cpu] = pending[cpu]
      pending[cpu] = 0
      phase[cpu] = SOFTIRQ_PHASE.vectors
    }

    /** Runs the lowest vector left; NET_RX goes on in phases of its own. */
    function nextVector(cpu: number): void {
      const left = bits[cpu]
      if (left === 0) {
        phase[cpu] = SOFTIRQ_PHASE.passEnd
        return
      }
      const vector = 31 - Math.clz32(left & -left)
      bits[cpu] = left & (left - 1)
      runs[cpu * 16 + vector]++
      if (trace.on) trace.softirqEntry(cpu, clockPs[cpu], vector, active[cpu] === 2)
      if (vector === SOFTIRQ.netRx) netRxBegin(cpu)
      else if (vector === SOFTIRQ.netTx) {
        output.begin(cpu)
        phase[cpu] = SOFTIRQ_PHASE.netTx
      } else if (vector === SOFTIRQ.timer) phase[cpu] = SOFTIRQ_PHASE.timers
      else if (trace.on) trace.softirqExit(cpu, clockPs[cpu], vector)
    }

    function splice(cpu: number): void {
      listHead[cpu] = pollHead[cpu]
      listTail[cpu] = pollTail[cpu]
      pollHead[cpu] = 0
      pollTail[cpu] = 0
    }

    function netRxBegin(cpu: number): void {
      spend(cpu, STAGE.net_rx_action, 1)
      budget[cpu] = budgetPackets[cpu]
      deadlineJiffy[cpu] = jiffies(cpu) + budgetJiffies[cpu]
      inNetRx[cpu] = policy.inNetRxAction ? 1 : 0
      repollHead[cpu] = 0
      repollTail[cpu] = 0
      polled[cpu] = 0
      splice(cpu)
      phase[cpu] = SOFTIRQ_PHASE.rxLoop
    }

    /** skb_defer_free_flush: skbs that other CPUs have read come home to be freed. */
    function deferFlush(cpu: number): void {
      const n = deferCount[cpu]
      if (n === 0) return
      deferCount[cpu] = 0
      deferIpi[cpu] = 0
      spend(cpu, STAGE.kfree_skb, n)
    }

    function netRxLoop(cpu: number): void {
      deferFlush(cpu)
      if (listHead[cpu] === 0) {
        if (repollHead[cpu] === 0) {
          inNetRx[cpu] = 0
          if (policy.netRxRestart && pollHead[cpu] !== 0) {
            inNetRx[cpu] = 1
            splice(cpu)
            return
          }
          if (ipiHead[cpu] === 0) {
            netRxReturn(cpu)
            return
          }
        }
        netRxEnd(cpu)
        return
      }
      const napi = listHead[cpu]
      listHead[cpu] = next[napi]
      if (listHead[cpu] === 0) listTail[cpu] = 0
      next[napi] = -1
      state[napi] &= ~NAPIF.listed
      polled[cpu] = napi
      if (poll.begin(cpu, napi, quota(cpu, napi))) phase[cpu] = SOFTIRQ_PHASE.polling
      else netRxPolled(cpu)
    }

    function netRxPolled(cpu: number): void {
      const napi = polled[cpu]
      polled[cpu] = 0
      phase[cpu] = SOFTIRQ_PHASE.rxLoop
      if (poll.end(cpu, napi)) {
        next[napi] = 0
        if (repollHead[cpu] === 0) repollHead[cpu] = napi
        else next[repollTail[cpu]] = napi
        repollTail[cpu] = napi
      }
      budget[cpu] -= work[napi]
      if (budget[cpu] <= 0 || jiffies(cpu) >= deadlineJiffy[cpu]) {
        timeSqueeze[cpu]++
        if (budget[cpu] <= 0) squeezeBudget[cpu]++
        else squeezeTime[cpu]++
        netRxEnd(cpu)
      }
    }

    function append(cpu: number, first: number, last: number): void {
      if (first === 0) return
      if (listHead[cpu] === 0) listHead[cpu] = first
      else next[listTail[cpu]] = first
      listTail[cpu] = last
    }

    /** What was not served, then what was scheduled meanwhile, then what used up its weight. */
    function netRxEnd(cpu: number): void {
      append(cpu, pollHead[cpu], pollTail[cpu])
      append(cpu, repollHead[cpu], repollTail[cpu])
      pollHead[cpu] = listHead[cpu]
      pollTail[cpu] = listTail[cpu]
      listHead[cpu] = 0
      listTail[cpu] = 0
      repollHead[cpu] = 0
      repollTail[cpu] = 0
      if (pollHead[cpu] !== 0) raise.raiseBit(cpu, SOFTIRQ.netRx)
      else inNetRx[cpu] = 0
      steering.sendIpis(cpu)
      netRxReturn(cpu)
    }

    /** net_tx_action is over. */
    function netTxReturn(cpu: number): void {
      if (trace.on) trace.softirqExit(cpu, clockPs[cpu], SOFTIRQ.netTx)
      phase[cpu] = SOFTIRQ_PHASE.vectors
    }

    /** run_timer_softirq is over. */
    function timersReturn(cpu: number): void {
      if (trace.on) trace.softirqExit(cpu, clockPs[cpu], SOFTIRQ.timer)
      phase[cpu] = SOFTIRQ_PHASE.vectors
    }

    function netRxReturn(cpu: number): void {
      if (trace.on) trace.softirqExit(cpu, clockPs[cpu], SOFTIRQ.netRx)
      phase[cpu] = SOFTIRQ_PHASE.vectors
    }

    function passEnd(cpu: number): void {
      if (pending[cpu] !== 0) {
        restarts[cpu]--
        if (jiffies(cpu) < endJiffy[cpu] && needResched[cpu] === 0 && restarts[cpu] > 0) {
          phase[cpu] = SOFTIRQ_PHASE.passBegin
          return
        }
        raise.wakeKsoftirqd(cpu)
      }
      active[cpu] = 0
      cpuContext[cpu] = returnContext[cpu]
    }

    return {
      tryStart(cpu) {
        if (pending[cpu] === 0 || active[cpu] !== 0 || bhDisabled[cpu] !== 0) return false
        if (!policy.softirqInlineWhileKsoftirqd && taskState[ksoftirqd[cpu]] === TASK_STATE.running) return false
        begin(cpu, 1, CONTEXT.softirq)
        return true
      },
      startInKsoftirqd(cpu) {
        begin(cpu, 2, CONTEXT.ksoftirqd)
      },
      run(cpu) {
        while (active[cpu] !== 0 && clockPs[cpu] < limitPs[cpu]) {
          switch (phase[cpu]) {
            case SOFTIRQ_PHASE.passBegin:
              passBegin(cpu)
              break
            case SOFTIRQ_PHASE.vectors:
              nextVector(cpu)
              break
            case SOFTIRQ_PHASE.rxLoop:
              netRxLoop(cpu)
              break
            case SOFTIRQ_PHASE.polling:
              if (!poll.run(cpu, polled[cpu])) return
              netRxPolled(cpu)
              break
            case SOFTIRQ_PHASE.netTx:
              if (!output.step(cpu)) netTxReturn(cpu)
              break
            case SOFTIRQ_PHASE.timers:
              if (!expire(cpu)) timersReturn(cpu)
              break
            default:
              passEnd(cpu)
          }
        }
      },
    }
  },
)
