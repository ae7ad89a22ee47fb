import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { EVENT } from '../cpu/event-kinds.js'
import { FragQueue, FragTimer } from './components.js'
import { wheelExpiry } from './timer-wheel.js'

/** Timers of reassembly queues. */
export interface FragTimers {
  /** mod_timer: (re)starts the timer of a queue on the CPU; it runs for ipfrag_time. */
  start(cpu: number, queue: number): void
  /** timer_delete. */
  stop(queue: number): void
  /** The CPU's event has come: true if a timer is due at its time; else the event is set anew, if any is left. */
  fire(cpu: number, timePs: number): boolean
  /** First queue of the CPU whose timer is due, 0 if none is: then the event is set anew, if any is left. */
  due(cpu: number): number
}

/**
 * All timers run for ipfrag_time, so each CPU's are a list in order of time, with one event for the first.
 * Kernel: kernel/time/timer.c, mod_timer, timer_delete
 */
export const fragTimers = defineSystem<FragTimers>(
  'frag_timers',
  'defrag',
  'kernel/time/timer.c, mod_timer',
  (context) => {
    const { expiresJiffy, timerCpu, timerNext, timerPrevious } = context.write(FragQueue)
    const { head, tail, lastSlot, armed } = context.write(FragTimer)
    const { clockPs, net } = context.read(Cpu)
    const events = context.system(eventList)
    const { jiffyPs, nets } = context.resource(PLAN_CONSTANTS)
    const timeoutJiffies = Float64Array.from(nets, ({ sysctl, hz }) => sysctl['net.ipv4.ipfrag_time'] * hz)

    function stop(queue: number): void {
      const cpu = timerCpu[queue]
      if (cpu === 0) return
      const next = timerNext[queue]
      const previous = timerPrevious[queue]
      if (previous === 0) head[cpu] = next
      else timerNext[previous] = next
      if (next === 0) tail[cpu] = previous
      else timerPrevious[next] = previous
      if (lastSlot[cpu] === queue) lastSlot[cpu] = next
      timerCpu[queue] = 0
    }

    function arm(cpu: number): void {
      const first = head[cpu]
      if (first === 0 || armed[cpu] !== 0) return
      armed[cpu] = 1
      events.push(cpu, cpu, expiresJiffy[first] * jiffyPs[cpu], EVENT.fragTimer, 0, 0, 0)
    }

    return {
      start(cpu, queue) {
        stop(queue)
        expiresJiffy[queue] = wheelExpiry(Math.floor(clockPs[cpu] / jiffyPs[cpu]), timeoutJiffies[net[cpu]])
        // Of those of one jiffy the one started last fires first: a slot of the wheel is a stack.
        const slot = lastSlot[cpu]
        const next = slot !== 0 && expiresJiffy[slot] === expiresJiffy[queue] ? slot : 0
        const previous = next === 0 ? tail[cpu] : timerPrevious[next]
        timerCpu[queue] = cpu
        timerNext[queue] = next
        timerPrevious[queue] = previous
        if (previous === 0) head[cpu] = queue
        else timerNext[previous] = queue
        if (next === 0) tail[cpu] = queue
        else timerPrevious[next] = queue
        lastSlot[cpu] = queue
        arm(cpu)
      },
      stop,
      fire(cpu, timePs) {
        armed[cpu] = 0
        const first = head[cpu]
        if (first !== 0 && expiresJiffy[first] * jiffyPs[cpu] <= timePs) return true
        arm(cpu)
        return false
      },
      due(cpu) {
        const first = head[cpu]
        if (first !== 0 && expiresJiffy[first] * jiffyPs[cpu] <= clockPs[cpu]) return first
        arm(cpu)
        return 0
      },
    }
  },
)
