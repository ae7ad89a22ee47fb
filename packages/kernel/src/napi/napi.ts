import { defineSystem, type EventList, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { gro } from '../gro/gro.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { raiseSoftirq } from '../softirq/raise.js'
import { Softnet } from '../softnet/components.js'
import { wakeTask } from '../task/wake.js'
import { Napi } from './components.js'

/** The life of a NAPI instance. */
export interface NapiControl {
  /** napi_schedule_prep: true if the caller may schedule it. */
  schedulePrep(napi: number): boolean
  /** __napi_schedule on this CPU. */
  schedule(cpu: number, napi: number): void
  /** napi_complete_done: true if the driver may unmask its interrupt. */
  completeDone(cpu: number, napi: number, work: number): boolean
  /** True if the hrtimer's event means an expiry; of a timer that was put off, it is the time to look again. */
  timerExpired(cpu: number, napi: number, sequence: number): boolean
  /** napi_watchdog: the hrtimer ran out. */
  watchdog(cpu: number, napi: number): void
  /** napi_enable. */
  enable(napi: number): void
  /** napi_disable: false while a poll is under way, to be tried again. */
  disable(napi: number): boolean
  /** Starts the instance's hrtimer; if it is running, it expires at the new time instead. */
  startTimer(cpu: number, napi: number, delayPs: number): void
}

/** State machine of NAPI instances. Kernel: net/core/dev.c, napi_schedule_prep … napi_complete_done */
export const napiControl = defineSystem<NapiControl>(
  'napi',
  'napi',
  'net/core/dev.c, napi_complete_done',
  (context) => {
    const { EVENT, NAPIF, SOFTIRQ, STAGE } = NUMBERS

    const {
      state,
      dev,
      cpu: napiCpu,
      next,
      deferCount,
      timerSequence,
      timerArmed,
      timerDuePs,
      timerCpu,
      timerEventPs,
      thread,
      groBitmap,
      completes,
    } = context.write(Napi)
    const { pollHead, pollTail, inNetRx } = context.write(Softnet)
    const { deferHardIrqs, groFlushTimeoutPs } = context.read(NetDev)
    const { clockPs, limitPs } = context.write(Cpu)
    const events: EventList = context.system(eventList)
    const softirq = context.system(raiseSoftirq)
    const wake = context.system(wakeTask)
    const groEngine = context.system(gro)
    const spend = context.system(charge)
    context.resource(PLAN_CONSTANTS)

    function schedule(cpu: number, napi: number): void {
      if ((state[napi] & NAPIF.threaded) !== 0 && thread[napi] !== 0) {
        state[napi] |= NAPIF.schedThreaded
        wake(cpu, thread[napi])
        return
      }
      next[napi] = 0
      if (pollHead[cpu] === 0) pollHead[cpu] = napi
      else next[pollTail[cpu]] = napi
      pollTail[cpu] = napi
      napiCpu[napi] = cpu
      state[napi] |= NAPIF.listed
      if (inNetRx[cpu] === 0) softirq.raise(cpu, SOFTIRQ.netRx)
    }

    function pushTimer(cpu: number, napi: number, atPs: number): void {
      timerSequence[napi]++
      timerCpu[napi] = cpu
      timerEventPs[napi] = atPs
      events.due[0] = atPs
      events.pushAt(cpu, cpu, EVENT.napiTimer, napi, timerSequence[napi], 0)
      if (atPs < limitPs[cpu]) limitPs[cpu] = atPs
    }

    function startTimer(cpu: number, napi: number, delayPs: number): void {
      const at = clockPs[cpu] + delayPs
      timerArmed[napi] = 1
      timerDuePs[napi] = at
      // Programs restart it with every call: an event that comes earlier stays and is put off when it comes.
      if (timerCpu[napi] !== cpu || timerEventPs[napi] > at) pushTimer(cpu, napi, at)
    }

    return {
      schedulePrep(napi) {
        const old = state[napi]
        if ((old & NAPIF.disable) !== 0) return false
        state[napi] = old | NAPIF.sched | ((old & NAPIF.sched) !== 0 ? NAPIF.missed : 0)
        return (old & NAPIF.sched) === 0
      },
      schedule,
      completeDone(cpu, napi, work) {
        if ((state[napi] & (NAPIF.npsvc | NAPIF.inBusyPoll)) !== 0) return false
        spend(cpu, STAGE.napi_complete, 1)
        completes[napi]++
        let unmask = true
        let timeoutPs = 0
        if (work > 0) {
          if (groBitmap[napi] !== 0) timeoutPs = groFlushTimeoutPs[dev[napi]]
          deferCount[napi] = deferHardIrqs[dev[napi]]
        }
        if (deferCount[napi] > 0) {
          deferCount[napi]--
          timeoutPs = groFlushTimeoutPs[dev[napi]]
          if (timeoutPs > 0) unmask = false
        }
        if (groBitmap[napi] !== 0) groEngine.flush(cpu, napi, timeoutPs > 0)
        groEngine.normalList(cpu, napi)
        state[napi] &= ~NAPIF.listed
        const missed = (state[napi] & NAPIF.missed) !== 0
        state[napi] &= ~(NAPIF.missed | NAPIF.sched | NAPIF.schedThreaded | NAPIF.preferBusyPoll)
        if (missed) {
          state[napi] |= NAPIF.sched
          schedule(cpu, napi)
          return false
        }
        if (timeoutPs > 0) startTimer(cpu, napi, timeoutPs)
        return unmask
      },
      timerExpired(cpu, napi, sequence) {
        if (timerSequence[napi] !== sequence) return false
        timerCpu[napi] = 0
        if (timerArmed[napi] === 0) return false
        if (timerDuePs[napi] <= clockPs[cpu]) return true
        pushTimer(cpu, napi, timerDuePs[napi])
        return false
      },
      watchdog(cpu, napi) {
        timerArmed[napi] = 0
        if ((state[napi] & (NAPIF.disable | NAPIF.sched)) !== 0) return
        state[napi] = (state[napi] | NAPIF.sched) & ~NAPIF.preferBusyPoll
        schedule(cpu, napi)
      },
      enable(napi) {
        state[napi] &= ~(NAPIF.sched | NAPIF.npsvc)
      },
      disable(napi) {
        state[napi] |= NAPIF.disable
        if ((state[napi] & (NAPIF.sched | NAPIF.npsvc)) !== 0) return false
        state[napi] |= NAPIF.sched | NAPIF.npsvc
        state[napi] &= ~(NAPIF.threaded | NAPIF.preferBusyPoll | NAPIF.disable)
        timerArmed[napi] = 0
        return true
      },
      startTimer,
    }
  },
)
