import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { gro } from '../gro/gro.js'
import { Napi } from '../napi/components.js'
import { napiControl } from '../napi/napi.js'
import { napiPoll } from '../napi/napi-poll.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { SoftirqState } from '../softirq/components.js'
import { Task } from './components.js'

/** Polling of a NAPI instance from a task. */
export interface BusyPoll {
  /** Starts one turn of the loop: true if a poll is under way, false if somebody else owns the instance. */
  begin(cpu: number, task: number, budget: number, prefer: boolean): boolean
  /** Goes on with the poll; true when it has returned. */
  run(cpu: number, task: number): boolean
  /** Starts busy_poll_stop: one more poll that lets the driver complete. False if this task owned nothing. */
  stop(cpu: number, task: number, budget: number, prefer: boolean): boolean
}

/** Busy polling. Kernel: net/core/dev.c, __napi_busy_loop, busy_poll_stop */
export const busyPoll = defineSystem<BusyPoll>(
  'napi_busy_loop',
  'task',
  'net/core/dev.c, __napi_busy_loop',
  (context) => {
    const { NAPIF, SNMP, STAGE } = NUMBERS

    const { state, work, budget, dev, deferCount, busyPolls } = context.write(Napi)
    const { busyNapi, busyLast, busyOwned, busyTimed } = context.write(Task)
    const { bhDisabled, bhEnabled } = context.write(SoftirqState)
    const { deferHardIrqs, groFlushTimeoutPs } = context.read(NetDev)
    const { clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const poll = context.system(napiPoll)
    const engine = context.system(gro)
    const control = context.system(napiControl)
    const count = context.system(counters)
    /** Ends the last poll: hands the instance back to the softirq, or drops it when a timer watches. */
    function finishLast(cpu: number, task: number): void {
      const napi = busyNapi[task]
      busyLast[task] = 0
      if (work[napi] < budget[napi]) return
      if (busyTimed[task] !== 0) {
        engine.flush(cpu, napi, false)
        engine.normalList(cpu, napi)
        state[napi] &= ~NAPIF.sched
      } else {
        engine.normalList(cpu, napi)
        control.schedule(cpu, napi)
      }
    }

    return {
      begin(cpu, task, quota, prefer) {
        const napi = busyNapi[task]
        spend(cpu, STAGE.busy_poll, 1)
        if (busyOwned[task] === 0) {
          if ((state[napi] & (NAPIF.disable | NAPIF.sched | NAPIF.inBusyPoll)) !== 0) {
            if (prefer) state[napi] |= NAPIF.preferBusyPoll
            return false
          }
          state[napi] |= NAPIF.inBusyPoll | NAPIF.sched
          busyOwned[task] = 1
        }
        busyPolls[napi]++
        bhDisabled[cpu] = 1
        poll.begin(cpu, napi, quota)
        return true
      },
      run(cpu, task) {
        const napi = busyNapi[task]
        if (!poll.run(cpu, napi)) return false
        if (trace.on) trace.napiPoll(cpu, clockPs[cpu], napi, work[napi], budget[napi])
        if (busyLast[task] !== 0) finishLast(cpu, task)
        else engine.normalList(cpu, napi)
        if (work[napi] > 0) count.snmp(cpu, SNMP.TcpExtBusyPollRxPackets, work[napi])
        bhDisabled[cpu] = 0
        bhEnabled[cpu] = 1
        return true
      },
      stop(cpu, task, quota, prefer) {
        const napi = busyNapi[task]
        if (busyOwned[task] === 0) return false
        busyOwned[task] = 0
        state[napi] &= ~(NAPIF.missed | NAPIF.inBusyPoll)
        busyTimed[task] = 0
        if (prefer) {
          deferCount[napi] = deferHardIrqs[dev[napi]]
          const timeoutPs = groFlushTimeoutPs[dev[napi]]
          if (deferCount[napi] > 0 && timeoutPs > 0) {
            control.startTimer(cpu, napi, timeoutPs)
            busyTimed[task] = 1
          }
        }
        busyLast[task] = 1
        bhDisabled[cpu] = 1
        poll.begin(cpu, napi, quota)
        return true
      },
    }
  },
)
