import { defineSystem, eventList } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Task } from './components.js'
import { scheduler } from './scheduler.js'
import { SendProgram } from './send-components.js'
import { wakeTask } from './wake.js'

/** What a timer of a task does: `b` of its event. */
const TIMER = { sleep: 0, timeout: 1 } as const

/** Timers of tasks that send. */
export interface TaskTimer {
  /** One entry: when what is armed next is due, ps. In a column it is not boxed. */
  readonly due: Float64Array
  /** Puts the current task to sleep until `due`; timer slack is the caller's to add. Kernel: kernel/time/hrtimer.c, hrtimer_nanosleep */
  sleep(cpu: number, task: number): void
  /** Has a task that waits for a reply woken at its deadline. Kernel: kernel/time/sleep_timeout.c, schedule_timeout */
  arm(cpu: number, task: number): void
  /** The current task has come to its end: it sleeps for good. Kernel: kernel/exit.c, do_exit */
  end(cpu: number): void
  /** A timer has run out; true if its task was woken. */
  fire(cpu: number, task: number, which: number): boolean
}

/** High-resolution timers of tasks. Kernel: kernel/time/hrtimer.c, hrtimer_wakeup */
export const taskTimer = defineSystem<TaskTimer>(
  'hrtimer_wakeup',
  'task',
  'kernel/time/hrtimer.c, hrtimer_wakeup',
  (context) => {
    const { EVENT } = NUMBERS

    const { program, waiting } = context.write(Task)
    const { deadlinePs, timerPs, timedOut } = context.write(SendProgram)
    const { clockPs, limitPs } = context.write(Cpu)
    const events = context.system(eventList)
    const { due } = events
    const sched = context.system(scheduler)
    const wake = context.system(wakeTask)

    function push(cpu: number, task: number, which: number): void {
      if (due[0] < limitPs[cpu]) limitPs[cpu] = due[0]
      events.pushAt(cpu, cpu, EVENT.taskTimer, task, which, 0)
    }

    return {
      due,
      sleep(cpu, task) {
        push(cpu, task, TIMER.sleep)
        sched.putCurrent(cpu, true)
      },
      end(cpu) {
        sched.putCurrent(cpu, true)
      },
      arm(cpu, task) {
        const row = program[task]
        // One timer is enough: one that runs out early finds a later deadline, and is set to that.
        if (timerPs[row] <= deadlinePs[row]) return
        timerPs[row] = deadlinePs[row]
        due[0] = deadlinePs[row]
        push(cpu, task, TIMER.timeout)
      },
      fire(cpu, task, which) {
        if (which === TIMER.sleep) {
          wake(cpu, task)
          return true
        }
        const row = program[task]
        timerPs[row] = Number.POSITIVE_INFINITY
        if (deadlinePs[row] === Number.POSITIVE_INFINITY) return false
        if (deadlinePs[row] > clockPs[cpu]) {
          timerPs[row] = deadlinePs[row]
          due[0] = deadlinePs[row]
          push(cpu, task, TIMER.timeout)
          return false
        }
        timedOut[row] = 1
        if (waiting[task] === 0) return false
        waiting[task] = 0
        wake(cpu, task)
        return true
      },
    }
  },
)
