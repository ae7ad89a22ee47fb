import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { gro } from '../gro/gro.js'
import { devNet } from '../netns/dev-net.js'
import { NUMBERS } from '../numbers.js'
import { processBacklog } from '../softnet/process-backlog.js'
import { Napi } from './components.js'
import { napiControl } from './napi.js'
import { pollDevice } from './poll-device.js'
import { pollVirtual } from './poll-virtual.js'

/** One poll of an instance, in pieces. */
export interface NapiPoll {
  /** Starts a poll with a budget; false if the instance is not scheduled any more. */
  begin(cpu: number, napi: number, budget: number): boolean
  /** Goes on with it; true when the poll function has returned (`Napi.work`). */
  run(cpu: number, napi: number): boolean
  /** __napi_poll after the poll function: true if the instance is to be polled again. */
  end(cpu: number, napi: number): boolean
}

/** Calls the poll function of an instance. Kernel: net/core/dev.c, __napi_poll */
export const napiPoll = defineSystem<NapiPoll>('__napi_poll', 'napi', 'net/core/dev.c, __napi_poll', (context) => {
  const { NAPIF, POLL_KIND, STAGE } = NUMBERS

  const { state, pollKind, work, budget, polls, groBitmap, dev } = context.write(Napi)
  const { clockPs } = context.read(Cpu)
  const { hz } = context.resource(PLAN_CONSTANTS)
  const trace = context.resource(TRACE_SINK)
  const device = context.system(pollDevice)
  const virtual = context.system(pollVirtual)
  const backlog = context.system(processBacklog)
  const control = context.system(napiControl)
  const engine = context.system(gro)
  const spend = context.system(charge)
  const space = context.system(devNet)
  return {
    begin(cpu, napi, quota) {
      work[napi] = 0
      budget[napi] = quota
      if ((state[napi] & NAPIF.sched) === 0) return false
      polls[napi]++
      if (trace.on) trace.pollBegin(cpu, clockPs[cpu], napi, quota)
      if (pollKind[napi] === POLL_KIND.device) device.begin(cpu, napi)
      else {
        spend(cpu, STAGE.napi_poll, 1)
        if (pollKind[napi] === POLL_KIND.backlog) backlog.begin(cpu)
      }
      return true
    },
    run(cpu, napi) {
      if (space.several) space.ofDevice(cpu, dev[napi])
      switch (pollKind[napi]) {
        case POLL_KIND.device:
          return device.run(cpu, napi)
        case POLL_KIND.backlog:
          return backlog.run(cpu, napi)
        default:
          return virtual.run(cpu, napi)
      }
    },
    end(cpu, napi) {
      if (trace.on) trace.napiPoll(cpu, clockPs[cpu], napi, work[napi], budget[napi])
      if (work[napi] < budget[napi]) return false
      if ((state[napi] & NAPIF.disable) !== 0) {
        control.completeDone(cpu, napi, work[napi])
        return false
      }
      if ((state[napi] & NAPIF.preferBusyPoll) !== 0) {
        if (control.completeDone(cpu, napi, work[napi]) && control.schedulePrep(napi)) control.schedule(cpu, napi)
        return false
      }
      if (groBitmap[napi] !== 0) engine.flush(cpu, napi, hz[cpu] >= 1000)
      engine.normalList(cpu, napi)
      return true
    },
  }
})
