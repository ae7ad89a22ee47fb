import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { RunQueue, Task, TaskCpu } from './components.js'
import { scheduler } from './scheduler.js'

/** Wakes a task from code that runs on CPU `waker`; nothing happens if it is runnable already. */
export type WakeTask = (waker: number, task: number) => void

/** Chooses a CPU for a sleeping task and makes it runnable there. Kernel: kernel/sched/core.c, try_to_wake_up */
export const wakeTask = defineSystem<WakeTask>(
  'try_to_wake_up',
  'task',
  'kernel/sched/core.c, try_to_wake_up',
  (context) => {
    const { EVENT, TASK_STATE, VIA } = NUMBERS

    const { state, woken, cpu: taskCpu, lastCpu, firstCpu, cpuCount, wakeups } = context.write(Task)
    const { cpu: allowed } = context.read(TaskCpu)
    const { current, count } = context.read(RunQueue)
    const { busy, clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const post = context.system(mail)
    const sched = context.system(scheduler)
    context.resource(PLAN_CONSTANTS)

    /** select_idle_sibling in short: the CPU it ran on if that is idle, else the first idle one it may use. */
    function selectCpu(task: number): number {
      const n = cpuCount[task]
      if (n <= 1) return taskCpu[task]
      const last = lastCpu[task]
      if (current[last] === 0 && count[last] === 0 && busy[last] === 0) return last
      for (let i = 0; i < n; i++) {
        const cpu = allowed[firstCpu[task] + i]
        if (current[cpu] === 0 && count[cpu] === 0 && busy[cpu] === 0) return cpu
      }
      return last
    }

    return (waker, task) => {
      if (state[task] !== TASK_STATE.sleeping) {
        woken[task] = 1
        return
      }
      wakeups[task]++
      const target = selectCpu(task)
      taskCpu[task] = target
      if (trace.on) trace.schedWaking(waker, clockPs[waker], task, target)
      if (target === waker) {
        sched.enqueue(target, task)
        if (trace.on) trace.schedWakeup(waker, clockPs[waker], task)
        return
      }
      state[task] = TASK_STATE.waking
      post.note(waker, target, VIA.ipi, EVENT.taskWake, task, waker, 0)
    }
  },
)
