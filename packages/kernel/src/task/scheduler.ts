import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { ContextTime, Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { RunQueue, Task } from './components.js'

/** Run queues. */
export interface Scheduler {
  /** Puts a task on a CPU's run queue after a sleep and tells whether the running one must yield. */
  enqueue(cpu: number, task: number): void
  /** Brings the run time of the current task up to date. */
  account(cpu: number): void
  /** Scheduler tick: asks for a switch when the current task has had its slice. */
  tick(cpu: number): void
  /** Takes the current task off the CPU; `sleeps` when it waits for something. */
  putCurrent(cpu: number, sleeps: boolean): void
  /** Makes the task with the least virtual time current; 0 if none is runnable. */
  pickNext(cpu: number): number
  /** cond_resched and sched_yield: gives way if a switch is wanted. */
  wantsSwitch(cpu: number): boolean
}

const NICE_0_WEIGHT = 1024

/**
 * Fair scheduler: CFS before 6.6, EEVDF's slices after, as data of the kernel version. Time in interrupts and softirqs
 * is not the task's. Kernel: kernel/sched/fair.c, update_curr, check_preempt_wakeup_fair, pick_next_entity
 */
export const scheduler = defineSystem<Scheduler>(
  'scheduler',
  'task',
  'kernel/sched/fair.c, pick_next_entity',
  (context) => {
    const { CONTEXT, CONTEXT_ROWS, TASK_STATE } = NUMBERS

    const {
      state,
      vruntimePs,
      ranPs,
      sliceStartPs,
      runNext,
      queued,
      weight,
      cpu: taskCpu,
      lastCpu,
      runPs,
      switches,
    } = context.write(Task)
    const rq = context.write(RunQueue)
    const { current, head, count, needResched, minVruntimePs, clockBasePs, lastTask } = rq
    const { ps: contextPs } = context.read(ContextTime)
    const { clockPs } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const eevdf = KERNEL_VERSIONS[constants.plan.kernel].scheduler === 'eevdf'
    // Tunables grow with 1 + ilog2(CPUs), up to eight CPUs. Kernel: kernel/sched/fair.c, get_update_sysctl_factor
    const factor = perCpu(constants, ({ cpus }) => 1 + (31 - Math.clz32(Math.max(1, Math.min(8, cpus.length)))))
    const slicePs = factor.map((times) => (eevdf ? 0.7e9 : 0.75e9) * times)
    const latencyPs = factor.map((times) => 6e9 * times)
    const sleeperCreditPs = latencyPs.map((ps) => (eevdf ? 0 : ps / 2))
    const wakeupGranularityPs = factor.map((times) => 1e9 * times)

    function taskTime(cpu: number): number {
      const row = cpu * CONTEXT_ROWS
      return contextPs[row + CONTEXT.task] + contextPs[row + CONTEXT.ksoftirqd]
    }

    function account(cpu: number): void {
      const task = current[cpu]
      const now = taskTime(cpu)
      if (task !== 0) {
        const delta = now - clockBasePs[cpu]
        ranPs[task] += delta
        runPs[task] += delta
        vruntimePs[task] += weight[task] === NICE_0_WEIGHT ? delta : Math.floor((delta * NICE_0_WEIGHT) / weight[task])
        let min = vruntimePs[task]
        for (let other = head[cpu]; other !== 0; other = runNext[other])
          if (vruntimePs[other] < min) min = vruntimePs[other]
        if (min > minVruntimePs[cpu]) minVruntimePs[cpu] = min
      }
      clockBasePs[cpu] = now
    }

    function enqueue(cpu: number, task: number): void {
      account(cpu)
      state[task] = TASK_STATE.running
      const floor = minVruntimePs[cpu] - sleeperCreditPs[cpu]
      if (vruntimePs[task] < floor) vruntimePs[task] = floor
      taskCpu[task] = cpu
      if (queued[task] === 0) {
        queued[task] = 1
        runNext[task] = head[cpu]
        head[cpu] = task
        count[cpu]++
      }
      const running = current[cpu]
      if (running === 0) {
        needResched[cpu] = 1
        return
      }
      if (eevdf) {
        if (ranPs[running] >= slicePs[cpu] || vruntimePs[running] > vruntimePs[task] + slicePs[cpu])
          needResched[cpu] = 1
      } else if (vruntimePs[running] - vruntimePs[task] > wakeupGranularityPs[cpu]) {
        needResched[cpu] = 1
      }
    }

    /** CFS: its share of the latency target, whoever waits; or less, once it is that far ahead of the first in line. */
    function cfsSliceOver(cpu: number, running: number): boolean {
      const idealPs = Math.max(slicePs[cpu], latencyPs[cpu] / (count[cpu] + 1))
      if (ranPs[running] > idealPs) return true
      for (let other = head[cpu]; other !== 0; other = runNext[other]) {
        if (vruntimePs[running] - vruntimePs[other] > idealPs) return true
      }
      return false
    }

    return {
      enqueue,
      account,
      tick(cpu) {
        account(cpu)
        const running = current[cpu]
        if (running === 0 || head[cpu] === 0) return
        if (ranPs[running] < slicePs[cpu]) return
        if (!eevdf && cfsSliceOver(cpu, running)) needResched[cpu] = 1
        if (!eevdf) return
        for (let other = head[cpu]; other !== 0; other = runNext[other]) {
          if (vruntimePs[other] < vruntimePs[running]) needResched[cpu] = 1
        }
      },
      putCurrent(cpu, sleeps) {
        account(cpu)
        const task = current[cpu]
        current[cpu] = 0
        if (task === 0) return
        lastCpu[task] = cpu
        if (sleeps) {
          state[task] = TASK_STATE.sleeping
          return
        }
        queued[task] = 1
        runNext[task] = head[cpu]
        head[cpu] = task
        count[cpu]++
      },
      pickNext(cpu) {
        account(cpu)
        needResched[cpu] = 0
        let best = 0
        let beforeBest = 0
        let before = 0
        for (let task = head[cpu]; task !== 0; task = runNext[task]) {
          if (
            best === 0 ||
            vruntimePs[task] < vruntimePs[best] ||
            (vruntimePs[task] === vruntimePs[best] && task < best)
          ) {
            best = task
            beforeBest = before
          }
          before = task
        }
        if (best === 0) return 0
        if (beforeBest === 0) head[cpu] = runNext[best]
        else runNext[beforeBest] = runNext[best]
        runNext[best] = 0
        queued[best] = 0
        count[cpu]--
        current[cpu] = best
        ranPs[best] = 0
        sliceStartPs[best] = clockPs[cpu]
        if (lastTask[cpu] !== best) {
          switches[best]++
          rq.switches[cpu]++
        }
        lastTask[cpu] = best
        return best
      },
      wantsSwitch: (cpu) => needResched[cpu] !== 0 && head[cpu] !== 0,
    }
  },
)
