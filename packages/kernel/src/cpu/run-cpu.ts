import { defineSystem, EventHeap, EventRow } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { HardirqState, LocalIrq } from '../irq/components.js'
import { cstates } from '../irq/cstates.js'
import { hardirq } from '../irq/hardirq.js'
import { vectors } from '../irq/vectors.js'
import { hasEvents } from '../link/fill-link.js'
import { NUMBERS } from '../numbers.js'
import { SoftirqState } from '../softirq/components.js'
import { handleSoftirqs } from '../softirq/handle-softirqs.js'
import { RunQueue } from '../task/components.js'
import { runTask } from '../task/run-task.js'
import { scheduler } from '../task/scheduler.js'
import { charge } from './charge.js'
import { ContextTime, Cpu, Owner, StageTime } from './components.js'
import { dispatchEvent } from './dispatch.js'
import { mail } from './mail.js'
import { thisCpu } from './this-cpu.js'

/** Row of the greatest of `count` values from `first` on. */
function largest(column: Float64Array, first: number, count: number): number {
  let row = first
  for (let i = first; i < first + count; i++) if (column[i] > column[row]) row = i
  return row
}

/** The machine of one CPU. */
export interface RunCpu {
  /**
   * Writes the time of the next thing the CPU does to `Cpu.nextStepPs`; Infinity if nothing will happen by itself. What is
   * due while the CPU's clock is ahead counts at the time it is due.
   */
  findNextStep(cpu: number): void
  /**
   * Does everything before `Cpu.horizonPs`, and the step that reaches beyond it, and writes `Cpu.nextStepPs`; true if
   * anything happened.
   */
  run(cpu: number): boolean
  /** Accounts idle time up to the end of the run. */
  finish(cpu: number, endPs: number): void
}

/**
 * One CPU: hard interrupts first, then softirqs, then tasks, each step as long as one packet, so that an interrupt or
 * the horizon of what is known takes effect between packets. The order here is the machine.
 * Kernel: arch/x86/entry/entry_64.S and kernel/entry/common.c (order of interrupt, softirq, schedule)
 */
export const runCpu = defineSystem<RunCpu>('run_cpu', 'cpu', 'kernel/entry/common.c, irqentry_exit', (context) => {
  const { CONTEXT, CONTEXT_ROWS, IRQ_KIND, STAGE, STAGE_ROWS } = NUMBERS

  const c = context.write(Cpu)
  const {
    clockPs,
    limitPs,
    context: cpuContext,
    nextTickPs,
    lastCharge,
    nextEventPs,
    nextStepPs,
    horizonPs,
    lookPs,
  } = c
  const { ps: contextPs } = context.write(ContextTime)
  const { ps: stagePs } = context.write(StageTime)
  const { mailTight } = context.read(Owner)
  const { exitCheck, lineNextPs, lookQueuePs, nextPs: raisedPs } = context.write(HardirqState)
  const { ticks } = context.write(LocalIrq)
  const { pending, active, bhDisabled } = context.read(SoftirqState)
  const { current, head } = context.read(RunQueue)
  const { base: eventBase, count: eventCount } = context.read(EventHeap)
  const { timePs: eventPs } = context.read(EventRow)
  const { jiffyPs, plan } = context.resource(PLAN_CONSTANTS)
  const here = hasEvents(plan) ? context.system(thisCpu) : null
  const trace = context.resource(TRACE_SINK)
  const spend = context.system(charge)
  const line = context.system(vectors)
  const irq = context.system(hardirq)
  const softirqs = context.system(handleSoftirqs)
  const tasks = context.system(runTask)
  const sched = context.system(scheduler)
  const idle = context.system(cstates)
  const dispatch = context.system(dispatchEvent)
  const post = context.system(mail)

  /** Finds the earliest event of the CPU: a message or timer, an interrupt or frame, the tick. */
  function findNext(cpu: number): void {
    line.refresh(cpu)
    let next = lineNextPs[cpu]
    if (eventCount[cpu] !== 0 && eventPs[eventBase[cpu]] < next) next = eventPs[eventBase[cpu]]
    if (nextTickPs[cpu] < next) next = nextTickPs[cpu]
    nextEventPs[cpu] = next
  }

  /** Scheduler tick of a busy CPU. Kernel: kernel/time/tick-sched.c, tick_nohz_handler */
  function tick(cpu: number): void {
    const before = cpuContext[cpu]
    cpuContext[cpu] = CONTEXT.hardirq
    if (trace.on) trace.irqEntry(cpu, clockPs[cpu], IRQ_KIND.localTimer, 0)
    spend(cpu, STAGE.tick, 1)
    if (trace.on) trace.irqExit(cpu, clockPs[cpu], IRQ_KIND.localTimer, 0)
    cpuContext[cpu] = before
    ticks[cpu]++
    nextTickPs[cpu] = (Math.floor(clockPs[cpu] / jiffyPs[cpu]) + 1) * jiffyPs[cpu]
    sched.tick(cpu)
    exitCheck[cpu] = 1
  }

  /** True if an event comes before the next look at a queue, and not after `Cpu.lookPs`. */
  function isEventFirst(cpu: number): boolean {
    if (eventCount[cpu] === 0) return false
    const at = eventPs[eventBase[cpu]]
    return at <= lookQueuePs[cpu] && at <= lookPs[cpu]
  }

  /**
   * Takes the earliest thing that is due: it is before the horizon, so nothing unknown can come before it, even if the
   * CPU's clock is already beyond. False if its handler has to wait for more to be known.
   */
  function takeDue(cpu: number): boolean {
    const at = nextEventPs[cpu]
    if (eventCount[cpu] !== 0 && eventPs[eventBase[cpu]] === at) dispatch(cpu)
    else if (lineNextPs[cpu] === at) {
      const clock = clockPs[cpu]
      const isKnown = clock < horizonPs[cpu]
      lookPs[cpu] = raisedPs[cpu] > at ? at : isKnown ? clock : horizonPs[cpu] - 1
      if (raisedPs[cpu] > at) line.arrival(cpu)
      else if (irq.canRunAhead(cpu)) irq.run(cpu)
      else if (isEventFirst(cpu)) dispatch(cpu)
      else if (line.arrival(cpu)) return true
      else if (isKnown) irq.run(cpu)
      else return false
    } else tick(cpu)
    if (exitCheck[cpu] !== 0) {
      exitCheck[cpu] = 0
      if (pending[cpu] !== 0) softirqs.tryStart(cpu)
    }
    return true
  }

  /** Leaves the idle loop because a task became runnable without an interrupt that would have charged for it. */
  function leaveIdle(cpu: number): void {
    if (!idle.idle(cpu)) return
    irq.plainIpi(cpu, 'resched')
  }

  /** A CPU that is no longer idle has a tick; the step that starts it ends there too. */
  function startTick(cpu: number): void {
    if (nextTickPs[cpu] !== Number.POSITIVE_INFINITY) return
    nextTickPs[cpu] = (Math.floor(clockPs[cpu] / jiffyPs[cpu]) + 1) * jiffyPs[cpu]
    if (nextTickPs[cpu] < limitPs[cpu]) limitPs[cpu] = nextTickPs[cpu]
  }

  /** A CPU that has just run out of work has yet to go idle. */
  function hasWork(cpu: number): boolean {
    return active[cpu] !== 0 || current[cpu] !== 0 || head[cpu] !== 0 || !idle.idle(cpu)
  }

  /** The step under way reaches beyond the end by this much: that part of it belongs to nobody's account. */
  function takeBack(cpu: number, beyondPs: number): void {
    if (beyondPs <= 0) return
    clockPs[cpu] -= beyondPs
    let contextRow = cpu * CONTEXT_ROWS + Math.floor(lastCharge[cpu] / STAGE_ROWS)
    let stageRow = cpu * STAGE_ROWS + (lastCharge[cpu] % STAGE_ROWS)
    // A step can hold several charges: what the last one cannot give back comes from the largest.
    for (let left = beyondPs; left > 0; ) {
      const part = Math.min(left, contextPs[contextRow], stagePs[stageRow])
      contextPs[contextRow] -= part
      stagePs[stageRow] -= part
      left -= part
      contextRow = largest(contextPs, cpu * CONTEXT_ROWS, CONTEXT.idle)
      stageRow = largest(stagePs, cpu * STAGE_ROWS, STAGE_ROWS)
    }
  }

  /** Finds the next step, the earliest event being known. */
  function settle(cpu: number): void {
    const at = nextEventPs[cpu]
    const clock = clockPs[cpu]
    if (at >= clock) nextStepPs[cpu] = hasWork(cpu) ? clock : at
    else if (lineNextPs[cpu] !== at || raisedPs[cpu] > at || irq.canRunAhead(cpu)) nextStepPs[cpu] = at
    else {
      // The interrupt of an old driver waits until the wire is known up to the clock. Meanwhile lanes are looked at, and events
      // happen at their times: other CPUs send on the queues of this one.
      let step = lookQueuePs[cpu] < clock ? lookQueuePs[cpu] : clock
      if (eventCount[cpu] !== 0 && eventPs[eventBase[cpu]] < step) step = eventPs[eventBase[cpu]]
      nextStepPs[cpu] = step
    }
  }

  return {
    findNextStep(cpu) {
      findNext(cpu)
      settle(cpu)
    },
    run(cpu) {
      let progress = false
      here?.set(cpu)
      for (;;) {
        if (mailTight[cpu] !== 0 && !post.hasRoom(cpu)) {
          findNext(cpu)
          settle(cpu)
          return progress
        }
        findNext(cpu)
        const next = nextEventPs[cpu]
        const now = clockPs[cpu]
        const horizon = horizonPs[cpu]
        if (next <= now && next < horizon) {
          if (takeDue(cpu)) {
            progress = true
            continue
          }
          findNext(cpu)
        }
        if (now >= horizon) {
          settle(cpu)
          return progress
        }
        limitPs[cpu] = next < horizon ? next : horizon
        if (active[cpu] !== 0) {
          startTick(cpu)
          softirqs.run(cpu)
        } else if (current[cpu] !== 0 && (bhDisabled[cpu] !== 0 || !sched.wantsSwitch(cpu))) {
          tasks.run(cpu)
        } else if (current[cpu] !== 0 || head[cpu] !== 0) {
          leaveIdle(cpu)
          startTick(cpu)
          tasks.schedule(cpu)
        } else {
          if (!idle.idle(cpu)) {
            nextTickPs[cpu] = Number.POSITIVE_INFINITY
            cpuContext[cpu] = CONTEXT.idle
            if (trace.on) trace.schedSwitch(cpu, clockPs[cpu], 0)
            idle.enter(cpu)
            progress = true
            continue
          }
          if (next >= horizon) {
            settle(cpu)
            return progress
          }
          idle.sleepToEvent(cpu)
        }
        progress = true
      }
    },
    finish(cpu, endPs) {
      if (clockPs[cpu] < endPs && idle.idle(cpu)) idle.sleepUntil(cpu, endPs)
      // Frames that have reached their ring are counted there, wherever the run was cut.
      line.catchUp(cpu, endPs)
      takeBack(cpu, clockPs[cpu] - endPs)
    },
  }
})
