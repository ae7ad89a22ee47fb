import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { SleepView, Task } from './components.js'
import { scheduler } from './scheduler.js'

/** Puts the current task to sleep until its socket, epoll instance or timer wakes it. */
export type Block = (cpu: number, task: number) => void

/** Blocking of a task that waits for data. Kernel: net/core/datagram.c, __skb_wait_for_more_packets */
export const block = defineSystem<Block>(
  'schedule_timeout',
  'task',
  'kernel/time/sleep_timeout.c, schedule_timeout',
  (context) => {
    const { EVENT, VIA } = NUMBERS

    const { waiting, waitSincePs, woken, heard } = context.write(Task)
    const { subscribed } = context.write(SleepView)
    const { clockPs } = context.read(Cpu)
    const { sources, sourceCpus, firstTask } = context.resource(PLAN_CONSTANTS)
    const _latency = context.resource(COST_LATENCY)
    const sched = context.system(scheduler)
    const post = context.system(mail)

    /** CPUs that send to this task's sockets learn that its next datagram has to wake it. */
    function tellSources(cpu: number, task: number): void {
      heard[task] = 0
      for (let source = 0; source < sources; source++) {
        const row = (task - firstTask) * sources + source
        if (subscribed[row] === 0) continue
        subscribed[row] = 0
        const to = sourceCpus[source]
        post.note(cpu, to, VIA.line, EVENT.sleepView, task, 1, 0)
      }
    }

    return (cpu, task) => {
      waiting[task] = 1
      woken[task] = 0
      waitSincePs[task] = clockPs[cpu]
      if (heard[task] !== 0) tellSources(cpu, task)
      sched.putCurrent(cpu, true)
    }
  },
)
