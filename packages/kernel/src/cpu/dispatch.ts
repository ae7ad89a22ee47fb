import { defineResource, defineSystem, EventRow, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, perCpu, TRACE_SINK } from '../build/constants.js'
import { fragTimers } from '../defrag/frag-timer.js'
import { hasGroups } from '../igmp/components.js'
import { igmpTimers } from '../igmp/igmp-timers.js'
import { HardirqState, LocalIrq } from '../irq/components.js'
import { hardirq } from '../irq/hardirq.js'
import { vectors } from '../irq/vectors.js'
import { hostEvents } from '../link/host-event.js'
import { napiControl } from '../napi/napi.js'
import { arpRcv } from '../neigh/arp-rcv.js'
import { neighbours } from '../neigh/neighbour.js'
import { steer } from '../netif/steer.js'
import { TxQueue } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { usesPackets } from '../packet/components.js'
import { tpacketRcv } from '../packet/tpacket-rcv.js'
import { Qdisc } from '../qdisc/components.js'
import { qdiscRun } from '../qdisc/qdisc-run.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { SockView } from '../sock/components.js'
import { sockError } from '../sock/sock-error.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { udpMemory } from '../sock/udp-memory.js'
import { udpEnqueue } from '../sock/udp-queue-rcv.js'
import { raiseSoftirq } from '../softirq/raise.js'
import { backlog } from '../softnet/backlog.js'
import { BacklogServed, BacklogView, SockFlow, Softnet } from '../softnet/components.js'
import { processBacklog } from '../softnet/process-backlog.js'
import { SleepView, Task } from '../task/components.js'
import { scheduler } from '../task/scheduler.js'
import { taskTimer } from '../task/task-timer.js'
import { charge } from './charge.js'
import { Cpu } from './components.js'
import { mail } from './mail.js'

/** Calls that a harness puts on a CPU's event list (EVENT.call). */
export interface HarnessCalls {
  call: ((cpu: number, a: number, b: number) => void) | null
}

/** Resource key of the harness calls. */
export const HARNESS_CALLS = defineResource<HarnessCalls>('harness_calls')

/** Takes the first event of a CPU's list and does what it says. */
export const dispatchEvent = defineSystem<(cpu: number) => void>(
  'dispatch_event',
  'cpu',
  'kernel/time/hrtimer.c, hrtimer_interrupt',
  (context) => {
    const { CONTEXT, EVENT, SOFTIRQ, STAGE, TASK_STATE, VIA } = NUMBERS

    const { timePs, kind, a, b, c } = context.read(EventRow)
    const { full } = context.write(SockView)
    const { asleep } = context.write(SleepView)
    const { owedBy, deferCount, deferIpi, inputCount } = context.write(Softnet)
    const { taken } = context.write(BacklogServed)
    const { level } = context.write(BacklogView)
    const { entry: sockFlow } = context.write(SockFlow)
    const { state, cpu: taskCpu } = context.write(Task)
    const { source, flowView, clockPs, lookPs, context: cpuContext, packetPool } = context.write(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const { sources, firstTask, cpuRows, sockFlowRows, sockFlowLength, sockFlowCpuMask } = constants
    const harness = context.resource(HARNESS_CALLS)
    const trace = context.resource(TRACE_SINK)
    const events = context.system(eventList)
    const line = context.system(vectors)
    const irq = context.system(hardirq)
    const _control = context.system(napiControl)
    const steering = context.system(steer)
    const softirq = context.system(raiseSoftirq)
    const queueUp = context.system(backlog)
    const poll = context.system(processBacklog)
    const udp = context.system(udpEnqueue)
    const memory = context.system(udpMemory)
    const fragments = context.system(fragTimers)
    const sched = context.system(scheduler)
    const neigh = context.system(neighbours)
    const arp = context.system(arpRcv)
    const igmp = hasGroups(constants.plan) ? context.system(igmpTimers) : null
    const rings = usesPackets(constants.plan) ? context.system(tpacketRcv) : null
    const link = context.system(hostEvents)
    const { remote } = context.write(TxQueue)
    const disciplines = context.system(qdiscRun)
    const wfree = context.system(sockWfree)
    const pages = context.system(packetPages)
    const { page } = context.write(Skb)
    const spend = context.system(charge)
    const { timerSequence, timerPs: watchdogPs, nowPs: qdiscNowPs } = context.write(Qdisc)
    const { hrtimers } = context.write(LocalIrq)
    const { exitCheck } = context.write(HardirqState)
    const post = context.system(mail)
    const sleepers = context.system(taskTimer)
    const errors = context.system(sockError)
    // The IPI that empties a long list of deferred skbs. Kernel: net/core/skbuff.c, skb_attempt_defer_free
    const deferKick = perCpu(constants, ({ sysctl }) => (sysctl['net.core.skb_defer_max'] >> 1) + 1)

    function backlogPacket(cpu: number, atPs: number, row: number, from: number): void {
      const own = post.receive(cpu, from, row)
      const queued = queueUp.enqueue(cpu, own, from)
      if (queued === 0) taken[cpu * cpuRows + from]++
      else if (queueUp.needsSchedule()) owedBy[cpu] = from
      if (trace.on && queued !== 0) trace.backlogEnqueue(cpu, atPs, own, inputCount[cpu])
      poll.served(cpu, from)
    }

    /** Bytes of a packet from another partition are copied; their page goes home, since it would never come back by itself. */
    function keepPage(cpu: number, row: number, from: number): void {
      const foreign = page[row]
      if (!pages.owns(foreign) || packetPool[from] === packetPool[cpu]) return
      const own = pages.take(packetPool[cpu], pages.length(foreign))
      if (own === 0) return
      const first = pages.first(foreign)
      pages.bytes.copyWithin(pages.first(own), first, first + pages.length(foreign))
      page[row] = own
      post.note(cpu, from, VIA.line, EVENT.pageHome, foreign, 0, 0)
    }

    /** A high-resolution timer has run out: what it does is done in `context`. Returns the context to go back to. */
    function beginTimer(cpu: number, context: number): number {
      irq.exitIdle(cpu)
      const before = cpuContext[cpu]
      cpuContext[cpu] = context
      spend(cpu, STAGE.hrtimer, 1)
      hrtimers[cpu]++
      return before
    }

    function endTimer(cpu: number, before: number): void {
      cpuContext[cpu] = before
      exitCheck[cpu] = 1
    }

    /** A sleep is timed by the CPU's own timer (0), a wait for a reply by the timer wheel. */
    function taskTimeout(cpu: number, task: number, which: number): void {
      if (which !== 0) {
        if (sleepers.fire(cpu, task, which)) irq.timerInterrupt(cpu)
        return
      }
      const before = beginTimer(cpu, CONTEXT.hardirq)
      sleepers.fire(cpu, task, which)
      endTimer(cpu, before)
    }

    function deferredFree(cpu: number, count: number): void {
      deferCount[cpu] += count
      if (deferCount[cpu] < deferKick[cpu] || deferIpi[cpu] !== 0) return
      deferIpi[cpu] = 1
      irq.plainIpi(cpu, 'call')
      softirq.raiseBit(cpu, SOFTIRQ.netRx)
    }

    return (cpu) => {
      const row = events.pop(cpu)
      const first = a[row]
      switch (kind[row]) {
        case EVENT.irqTimer:
          line.timer(cpu, first, b[row], timePs[row])
          return
        case EVENT.napiTimer:
          irq.napiTimer(cpu, first, b[row])
          return
        case EVENT.ipiBacklog:
          irq.backlogIpi(cpu)
          return
        case EVENT.backlogPacket: {
          // What a full queue costs is not idle time, even if the CPU was.
          const before = cpuContext[cpu]
          cpuContext[cpu] = CONTEXT.softirq
          backlogPacket(cpu, timePs[row], first, b[row])
          cpuContext[cpu] = before
          return
        }
        case EVENT.socketPacket: {
          const from = c[row]
          const sock = b[row]
          const before = cpuContext[cpu]
          cpuContext[cpu] = CONTEXT.softirq
          if (trace.on) trace.sockArrive(cpu, timePs[row])
          udp.fromRemote(cpu, post.receive(cpu, from, first), sock, from)
          cpuContext[cpu] = before
          return
        }
        case EVENT.backlogView:
          steering.learn(cpu, first, c[row], b[row] !== 0)
          return
        case EVENT.backlogLevel:
          level[cpu * cpuRows + first] = b[row]
          return
        case EVENT.socketView:
          full[first * sources + source[cpu]] = b[row]
          return
        case EVENT.sleepView:
          asleep[(first - firstTask) * sources + source[cpu]] = b[row]
          return
        case EVENT.sockFlow: {
          const hash = c[row]
          const entry = flowView[cpu] * sockFlowRows + (hash & (sockFlowLength[cpu] - 1))
          sockFlow[entry] = (hash & ~sockFlowCpuMask[cpu]) | first
          return
        }
        case EVENT.taskWake:
          if (state[first] === TASK_STATE.waking) {
            taskCpu[first] = cpu
            sched.enqueue(cpu, first)
            if (trace.on) trace.schedWakeup(cpu, clockPs[cpu], first)
          }
          return
        case EVENT.dimApplied:
          line.applyModeration(first)
          return
        case EVENT.deferredFree:
          deferredFree(cpu, first)
          return
        case EVENT.udpMemory:
          memory.learn(cpu, first, c[row])
          return
        case EVENT.fragTimer:
          if (fragments.fire(cpu, timePs[row])) irq.timerInterrupt(cpu)
          return
        case EVENT.neighTimer:
        case EVENT.igmpTimer:
        case EVENT.proxyArp: {
          irq.exitIdle(cpu)
          const before = cpuContext[cpu]
          cpuContext[cpu] = CONTEXT.softirq
          if (kind[row] === EVENT.neighTimer) neigh.timer(cpu, first, b[row])
          else if (kind[row] === EVENT.igmpTimer) igmp?.fire(cpu, first, b[row])
          else arp.redo(cpu, first)
          cpuContext[cpu] = before
          exitCheck[cpu] = 1
          return
        }
        case EVENT.linkWatch:
        case EVENT.hostEvent:
        case EVENT.hostCommand:
        case EVENT.devClose:
        case EVENT.linkCheck:
        case EVENT.txWatchdog:
        case EVENT.netdev: {
          if (link === null) return
          lookPs[cpu] = timePs[row]
          irq.exitIdle(cpu)
          const before = cpuContext[cpu]
          cpuContext[cpu] = CONTEXT.softirq
          if (kind[row] === EVENT.linkWatch) link.watch(cpu, b[row])
          else if (kind[row] === EVENT.netdev) link.learn(cpu, first, b[row], c[row])
          else if (kind[row] === EVENT.hostCommand) link.obey(cpu, first)
          else if (kind[row] === EVENT.devClose) link.retryClose(cpu, first)
          else if (kind[row] === EVENT.linkCheck) link.check(cpu, first)
          else if (kind[row] === EVENT.txWatchdog) link.watchdog(cpu, first, b[row])
          else link.happen(cpu, first)
          cpuContext[cpu] = before
          exitCheck[cpu] = 1
          return
        }
        case EVENT.txPacket: {
          const before = cpuContext[cpu]
          cpuContext[cpu] = CONTEXT.softirq
          const queue = b[row]
          const from = c[row]
          const at = timePs[row]
          const own = post.receive(cpu, from, first)
          remote[queue]++
          if (page[own] !== 0) keepPage(cpu, own, from)
          if (at > qdiscNowPs[queue]) qdiscNowPs[queue] = at
          disciplines.xmit(cpu, queue, own, false)
          cpuContext[cpu] = before
          return
        }
        case EVENT.qdiscTimer: {
          if (timerSequence[first] !== b[row]) return
          watchdogPs[first] = Number.POSITIVE_INFINITY
          const before = beginTimer(cpu, CONTEXT.hardirq)
          disciplines.schedule(cpu, first)
          endTimer(cpu, before)
          return
        }
        case EVENT.packetRetire: {
          if (rings === null) return
          const before = beginTimer(cpu, CONTEXT.softirq)
          rings.retire(cpu, first)
          endTimer(cpu, before)
          return
        }
        case EVENT.pageHome:
          pages.put(first, packetPool[cpu])
          return
        case EVENT.sockError:
          errors.report(cpu, first, b[row])
          return
        case EVENT.taskTimer:
          taskTimeout(cpu, first, b[row])
          return
        case EVENT.wmemFree:
          wfree.uncharge(cpu, first, c[row])
          return
        case EVENT.call:
          if (harness.call !== null) harness.call(cpu, first, b[row])
          return
        default:
          throw new Error(`CPU ${cpu} has an event of unknown kind ${kind[row]}`)
      }
    }
  },
)
