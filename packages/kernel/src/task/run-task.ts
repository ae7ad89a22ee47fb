import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { Napi } from '../napi/components.js'
import { napiPoll } from '../napi/napi-poll.js'
import { napiQuota } from '../napi/napi-quota.js'
import { steer } from '../netif/steer.js'
import { devNet } from '../netns/dev-net.js'
import { NUMBERS } from '../numbers.js'
import { usesPackets } from '../packet/components.js'
import { SoftirqState } from '../softirq/components.js'
import { handleSoftirqs } from '../softirq/handle-softirqs.js'
import { appStep } from './app.js'
import { captureStep } from './capture.js'
import { clientStep } from './client.js'
import { RunQueue, Task } from './components.js'
import { pingStep } from './ping.js'
import { scheduler } from './scheduler.js'
import { senderStep } from './sender.js'

/** Running of tasks. */
export interface RunTask {
  /** Chooses the next task and switches to it; false if there is none. */
  schedule(cpu: number): boolean
  /** Runs the current task until the CPU's limit, a switch, or a sleep. */
  run(cpu: number): void
}

/** A computing task is interrupted between pieces of this length, whatever is known of the future. */
const SPIN_PIECE_PS = 1_000_000
/** DIM's work item can be interrupted between as many pieces. */
const DIM_WORK_PIECES = 8

/** Tasks on a CPU: ksoftirqd, kworkers, NAPI threads and applications. Kernel: kernel/sched/core.c, __schedule */
export const runTask = defineSystem<RunTask>('schedule', 'task', 'kernel/sched/core.c, __schedule', (context) => {
  const { CONTEXT, EVENT, NAPIF, STAGE, TASK_KIND } = NUMBERS

  const { kind, pc, napi: taskNapi, vector } = context.write(Task)
  const { current, lastTask, head } = context.write(RunQueue)
  const { pending, active, bhDisabled, bhEnabled } = context.write(SoftirqState)
  const { state } = context.write(Napi)
  const { clockPs, limitPs, context: cpuContext, coldPoll } = context.write(Cpu)
  const { nicCommandPs } = context.resource(COST_LATENCY)
  const trace = context.resource(TRACE_SINK)
  const events = context.system(eventList)
  const spend = context.system(charge)
  const spendPs = context.system(chargePs)
  const sched = context.system(scheduler)
  const softirqs = context.system(handleSoftirqs)
  const poll = context.system(napiPoll)
  const quota = context.system(napiQuota)
  const steering = context.system(steer)
  const app = context.system(appStep)
  const space = context.system(devNet)
  const sender = context.system(senderStep)
  const client = context.system(clientStep)
  const { plan } = context.resource(PLAN_CONSTANTS)
  const capture = usesPackets(plan) ? context.system(captureStep) : null
  const ping = plan.hosts.some(({ apps }) => apps.some(({ kind }) => kind === 'ping')) ? context.system(pingStep) : null

  /** ksoftirqd: softirqs while there are any, giving way to other tasks between rounds. Kernel: kernel/softirq.c, run_ksoftirqd */
  function ksoftirqd(cpu: number): void {
    if (pending[cpu] === 0) {
      sched.putCurrent(cpu, true)
      return
    }
    softirqs.startInKsoftirqd(cpu)
  }

  /** A NAPI thread: one poll per turn with bottom halves off. Kernel: net/core/dev.c, napi_threaded_poll_loop */
  function napiThread(cpu: number, task: number): void {
    const napi = taskNapi[task]
    if (pc[task] === 0) {
      if ((state[napi] & NAPIF.schedThreaded) === 0) {
        sched.putCurrent(cpu, true)
        return
      }
      bhDisabled[cpu] = 1
      if (!poll.begin(cpu, napi, quota(cpu, napi))) {
        state[napi] &= ~NAPIF.schedThreaded
        bhDisabled[cpu] = 0
        bhEnabled[cpu] = 1
        return
      }
      pc[task] = 1
      return
    }
    if (!poll.run(cpu, napi)) return
    pc[task] = 0
    poll.end(cpu, napi)
    steering.sendIpis(cpu)
    bhDisabled[cpu] = 0
    bhEnabled[cpu] = 1
  }

  /**
   * A kworker: DIM's work item, which gives the device the profile; the device takes its time to carry the command out,
   * and the task sleeps meanwhile. Kernel: drivers/net/ethernet/mellanox/mlx5/core/en_dim.c, mlx5e_rx_dim_work
   */
  function kworker(cpu: number, task: number): void {
    spend(cpu, STAGE.dim_work, 1 / DIM_WORK_PIECES)
    pc[task]++
    if (pc[task] < DIM_WORK_PIECES) return
    pc[task] = 0
    events.due[0] = clockPs[cpu] + nicCommandPs
    events.pushAt(cpu, cpu, EVENT.dimApplied, vector[task], 0, 0)
    if (events.due[0] < limitPs[cpu]) limitPs[cpu] = events.due[0]
    sched.putCurrent(cpu, true)
  }

  return {
    schedule(cpu) {
      const before = lastTask[cpu]
      if (current[cpu] !== 0) sched.putCurrent(cpu, false)
      const task = sched.pickNext(cpu)
      if (task === 0) return false
      if (trace.on) trace.schedSwitch(cpu, clockPs[cpu], task)
      cpuContext[cpu] = CONTEXT.task
      if (task !== before) {
        spend(cpu, STAGE.schedule, 1)
        coldPoll[cpu] = 1
      }
      if (kind[task] === TASK_KIND.ksoftirqd) cpuContext[cpu] = CONTEXT.ksoftirqd
      return true
    },
    run(cpu) {
      const task = current[cpu]
      while (clockPs[cpu] < limitPs[cpu] && current[cpu] === task && active[cpu] === 0) {
        switch (kind[task]) {
          case TASK_KIND.ksoftirqd:
            ksoftirqd(cpu)
            break
          case TASK_KIND.napiThread:
            napiThread(cpu, task)
            break
          case TASK_KIND.app:
            if (space.several) space.ofTask(cpu, task)
            app(cpu, task)
            break
          case TASK_KIND.sender:
            if (space.several) space.ofTask(cpu, task)
            sender(cpu, task)
            break
          case TASK_KIND.client:
            if (space.several) space.ofTask(cpu, task)
            client(cpu, task)
            break
          case TASK_KIND.ping:
            if (space.several) space.ofTask(cpu, task)
            if (ping !== null) ping(cpu, task)
            break
          case TASK_KIND.capture:
            if (space.several) space.ofTask(cpu, task)
            if (capture !== null) capture(cpu, task)
            break
          case TASK_KIND.kworker:
            kworker(cpu, task)
            break
          default:
            spendPs(cpu, STAGE.spin, SPIN_PIECE_PS)
            coldPoll[cpu] = 1
        }
        // local_bh_enable at the end of a section runs what is pending; elsewhere a task goes on in spite of it.
        if (bhEnabled[cpu] !== 0 && bhDisabled[cpu] === 0) {
          bhEnabled[cpu] = 0
          if (pending[cpu] !== 0 && active[cpu] === 0) softirqs.tryStart(cpu)
        }
        if (bhDisabled[cpu] === 0 && sched.wantsSwitch(cpu)) break
      }
      if (current[cpu] === 0 && head[cpu] === 0) lastTask[cpu] = 0
    },
  }
})
