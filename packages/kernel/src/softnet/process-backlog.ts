import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { COLD_COSTS, PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { Napi } from '../napi/components.js'
import { netifReceive } from '../netif/netif-receive-skb.js'
import { steer } from '../netif/steer.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { backlog } from './backlog.js'
import { BacklogServed, Softnet } from './components.js'

/** The poll of a CPU's backlog, in pieces that can stop between packets. */
export interface ProcessBacklog {
  begin(cpu: number): void
  /** Handles packets until the CPU's limit; true when the poll is over, its work in `Napi.work`. */
  run(cpu: number, napi: number): boolean
  /** A packet from another CPU has been put into the backlog: its sender wants to hear when the backlog is idle. */
  served(cpu: number, from: number): void
}

/** Backlog poll. Kernel: net/core/dev.c, process_backlog */
export const processBacklog = defineSystem<ProcessBacklog>(
  'process_backlog',
  'softnet',
  'net/core/dev.c, process_backlog',
  (context) => {
    const { EVENT, NAPIF, STAGE, VIA } = NUMBERS

    const sd = context.write(Softnet)
    const { inputHead, inputTail, inputCount, processHead, processTail, processCount, queueHead, servedHead } = sd
    const { state, work, budget } = context.write(Napi)
    const { next, backlogFrom } = context.write(Skb)
    const { taken, told, listed, next: servedNext } = context.write(BacklogServed)
    const { clockPs, limitPs } = context.read(Cpu)
    const { cpuRows, plan } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const spendPs = context.system(chargePs)
    const { farPacketPs } = context.resource(COLD_COSTS)
    const steering = context.system(steer)
    const queue = context.system(backlog)
    const receive = context.system(netifReceive)
    const post = context.system(mail)
    const headPerPacket = KERNEL_VERSIONS[plan.kernel].backlogHeadPerPacket

    function finish(cpu: number, napi: number, idle: boolean): void {
      if (!headPerPacket) queueHead[cpu] += work[napi]
      let from = servedHead[cpu]
      if (idle) servedHead[cpu] = 0
      while (from !== 0) {
        const pair = cpu * cpuRows + from
        const following = servedNext[pair]
        if (idle || told[pair] !== taken[pair]) {
          told[pair] = taken[pair]
          post.note(cpu, from, VIA.line, EVENT.backlogView, cpu, idle ? 1 : 0, taken[pair])
        }
        if (idle) {
          listed[pair] = 0
          servedNext[pair] = 0
        }
        from = following
      }
    }

    return {
      begin(cpu) {
        steering.sendIpis(cpu)
      },
      run(cpu, napi) {
        for (;;) {
          let row = processHead[cpu]
          if (row === 0) {
            if (inputHead[cpu] === 0) {
              state[napi] &= ~(NAPIF.sched | NAPIF.listed)
              finish(cpu, napi, true)
              return true
            }
            processHead[cpu] = inputHead[cpu]
            processTail[cpu] = inputTail[cpu]
            processCount[cpu] = inputCount[cpu]
            queue.emptied(cpu)
            row = processHead[cpu]
          }
          if (clockPs[cpu] >= limitPs[cpu]) return false
          processHead[cpu] = next[row]
          processCount[cpu]--
          next[row] = 0
          if (trace.on) trace.backlogTake(cpu, clockPs[cpu], row)
          spend(cpu, STAGE.process_backlog, 1)
          const from = backlogFrom[row]
          if (from !== 0) {
            taken[cpu * cpuRows + from]++
            const far = farPacketPs[from * cpuRows + cpu]
            if (far > 0) spendPs(cpu, STAGE.remote_skb, far)
          }
          if (headPerPacket) queueHead[cpu]++
          receive.one(cpu, row)
          work[napi]++
          if (work[napi] >= budget[napi]) {
            finish(cpu, napi, false)
            return true
          }
        }
      },
      served(cpu, from) {
        const pair = cpu * cpuRows + from
        if (listed[pair] !== 0) return
        listed[pair] = 1
        servedNext[pair] = servedHead[cpu]
        servedHead[cpu] = from
      },
    }
  },
)
