import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { Napi } from '../napi/components.js'
import { napiControl } from '../napi/napi.js'
import { netTimestamp } from '../netif/net-timestamp.js'
import { steer } from '../netif/steer.js'
import { cleanTxIrq } from '../nic/clean-tx-irq.js'
import { IrqVector, NetDev, RxQueue } from '../nic/components.js'
import { ring } from '../nic/ring.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { rxTruesizeBytes } from '../skb/truesize.js'
import { SoftirqState } from '../softirq/components.js'
import { Softnet } from '../softnet/components.js'
import { CpuVector, HardirqState, IrqCount, LocalIrq } from './components.js'
import { cstates } from './cstates.js'
import { moderation } from './moderation.js'
import { vectors } from './vectors.js'

const ETH_HEADER_BYTES = 14

/** Taking of hard interrupts. */
export interface Hardirq {
  /** False if the next handler looks at the wire up to the CPU's own time, which then has to be known. */
  canRunAhead(cpu: number): boolean
  /** Runs the handler of the vector delivered first; the caller looks at softirqs afterwards (irq_exit). */
  run(cpu: number): void
  /** Wakes an idle CPU for something that is not a device interrupt; charges its C-state exit. */
  exitIdle(cpu: number): void
  /** Notes that a backlog IPI has come. */
  backlogIpi(cpu: number): void
  /** Notes that a local timer has expired and what it wakes. */
  napiTimer(cpu: number, napi: number, sequence: number): void
  /** Interrupt of the timer wheel: an idle CPU has no tick that would see it. Raises TIMER_SOFTIRQ. */
  timerInterrupt(cpu: number): void
  /** Reschedule or deferred-free IPI: costs an interrupt, nothing else. */
  plainIpi(cpu: number, kind: 'resched' | 'call'): void
}

/** Hard interrupt handlers. Kernel: kernel/irq/handle.c, handle_irq_event; kernel/softirq.c, irq_enter, irq_exit */
export const hardirq = defineSystem<Hardirq>('hardirq', 'irq', 'kernel/irq/handle.c, handle_irq_event', (context) => {
  const { CONTEXT, DEVICE, IRQ_KIND, SOFTIRQ, STAGE } = NUMBERS

  const { nextPs, firstVector, vectorCount, exitCheck, isLineKnown } = context.write(HardirqState)
  const { vector: cpuVector } = context.read(CpuVector)
  const v = context.write(IrqVector)
  const { raised, raisedPs, napi: vectorNapi, count: irqCount, lastIrqPs, unsignalled, nonNapi, quota } = v
  const { firstQueue, queueCount, queueSkip } = v
  const { count: perCpu } = context.write(IrqCount)
  const { hrtimers, ticks } = context.write(LocalIrq)
  const { pending } = context.write(SoftirqState)
  const { clockPs, context: cpuContext, coldPoll, lookPs, nextTickPs } = context.write(Cpu)
  const rxq = context.write(RxQueue)
  const sd = context.write(Softnet)
  const skb = context.write(Skb)
  const { index: devIndex, host: devHost, rxBuffer, copybreakBytes, mtu } = context.read(NetDev)
  const { plan, cpuRows, firstVector: firstVectorEntity } = context.resource(PLAN_CONSTANTS)
  const spend = context.system(charge)
  const spendPs = context.system(chargePs)
  const control = context.system(napiControl)
  const line = context.system(vectors)
  const cleaner = context.system(cleanTxIrq)
  const { txCount } = context.read(Napi)
  const dim = context.system(moderation)
  const rings = context.system(ring)
  const steering = context.system(steer)
  const stamps = context.system(netTimestamp)
  const count = context.system(counters)
  const idle = context.system(cstates)
  const trace = context.resource(TRACE_SINK)
  const smallHeads = plan.hosts.map((host) => host.smallHeadBytes)

  /** An old driver's handler: takes up to its quota of frames and gives each to netif_rx. */
  function nonNapiHandler(cpu: number, vector: number): void {
    let left = quota[vector]
    for (let i = 0; i < queueCount[vector]; i++) {
      const queue = firstQueue[vector] + i * (1 + queueSkip[vector])
      const device = rxq.dev[queue]
      let taken = 0
      rings.dma(queue)
      while (left > 0) {
        const row = rings.take(queue)
        if (row === 0) break
        if (trace.on) trace.ringTake(cpu, clockPs[cpu], row, queue)
        left--
        taken++
        spend(cpu, STAGE.nonnapi_rx, 1)
        spend(cpu, STAGE.refill, 1)
        const size = skb.wireBytes[row]
        skb.len[row] -= ETH_HEADER_BYTES
        skb.dev[row] = device
        skb.queue[row] = queue
        skb.allocCpu[row] = cpu
        skb.fragHead[row] = 0
        skb.sock[row] = 0
        skb.truesize[row] = rxTruesizeBytes(
          rxBuffer[device],
          size,
          copybreakBytes[device],
          smallHeads[devHost[device]],
          mtu[device],
        )
        count.device(devIndex[device], cpu, DEVICE.rxPackets, 1)
        count.device(devIndex[device], cpu, DEVICE.rxBytes, size)
        rings.refill(queue, 1)
        netifRx(cpu, row)
      }
      rxq.polls[queue]++
      if (taken > 0) rxq.pollsNonEmpty[queue]++
      if (rxq.ringHead[queue] === rxq.ringTail[queue]) rxq.pollsDone[queue]++
      rxq.polledPackets[queue] += taken
    }
  }

  /** netif_rx: always by way of a backlog. Kernel: net/core/dev.c, netif_rx_internal */
  function netifRx(cpu: number, row: number): void {
    if (stamps.needed) stamps.prequeue(cpu, row)
    if (trace.on) trace.netifRx(cpu, clockPs[cpu], row)
    const target = steering.needed ? steering.cpuOf(cpu, row) : 0
    steering.toBacklog(cpu, row, target === 0 ? cpu : target)
  }

  function handle(cpu: number, vector: number): void {
    spend(cpu, STAGE.hardirq, 1)
    irqCount[vector]++
    perCpu[(vector - firstVectorEntity) * cpuRows + cpu]++
    lastIrqPs[vector] = raisedPs[vector]
    unsignalled[vector] = 0
    dim.onInterrupt(cpu, vector)
    if (nonNapi[vector] !== 0) {
      nonNapiHandler(cpu, vector)
      if (txCount[vectorNapi[vector]] > 0) cleaner.all(cpu, vectorNapi[vector])
      line.unmask(cpu, vector)
      return
    }
    const napi = vectorNapi[vector]
    if (control.schedulePrep(napi)) control.schedule(cpu, napi)
  }

  /** The raised vector that is delivered first; 0 if none is raised. */
  function firstRaised(cpu: number): number {
    const base = firstVector[cpu]
    let first = 0
    for (let i = 0; i < vectorCount[cpu]; i++) {
      const vector = cpuVector[base + i]
      if (raised[vector] !== 0 && (first === 0 || raisedPs[vector] < raisedPs[first])) first = vector
    }
    return first
  }

  function enter(cpu: number, kind: number, id: number): number {
    const before = cpuContext[cpu]
    exitIdle(cpu)
    cpuContext[cpu] = CONTEXT.hardirq
    exitCheck[cpu] = 1
    if (trace.on) trace.irqEntry(cpu, clockPs[cpu], kind, id)
    return before
  }

  function leave(cpu: number, before: number, kind: number, id: number): void {
    if (trace.on) trace.irqExit(cpu, clockPs[cpu], kind, id)
    cpuContext[cpu] = before
  }

  function exitIdle(cpu: number): void {
    const exitPs = idle.leave(cpu)
    if (exitPs === 0) return
    const before = cpuContext[cpu]
    cpuContext[cpu] = CONTEXT.hardirq
    spendPs(cpu, STAGE.cstate_exit, exitPs)
    cpuContext[cpu] = before
  }

  return {
    canRunAhead: (cpu) => nonNapi[firstRaised(cpu)] === 0,
    run(cpu) {
      // What the wire has done is known up to this moment only, however long the handler takes.
      lookPs[cpu] = clockPs[cpu]
      const vector = firstRaised(cpu)
      const before = enter(cpu, IRQ_KIND.device, vector)
      raised[vector] = 0
      handle(cpu, vector)
      const following = firstRaised(cpu)
      isLineKnown[cpu] = 0
      nextPs[cpu] = following === 0 ? Number.POSITIVE_INFINITY : raisedPs[following]
      leave(cpu, before, IRQ_KIND.device, vector)
    },
    exitIdle,
    backlogIpi(cpu) {
      const napi = sd.backlogNapi[cpu]
      // Only the IPI of a CPU that found the backlog idle does anything; a later one finds it scheduled.
      if (sd.owedBy[cpu] === 0) return
      const before = enter(cpu, IRQ_KIND.callFunction, 0)
      spend(cpu, STAGE.ipi, 1)
      sd.receivedRps[cpu]++
      sd.calIpis[cpu]++
      sd.owedBy[cpu] = 0
      control.schedule(cpu, napi)
      leave(cpu, before, IRQ_KIND.callFunction, 0)
    },
    napiTimer(cpu, napi, sequence) {
      if (!control.timerExpired(cpu, napi, sequence)) return
      const before = enter(cpu, IRQ_KIND.localTimer, 0)
      spend(cpu, STAGE.hrtimer, 1)
      hrtimers[cpu]++
      control.watchdog(cpu, napi)
      leave(cpu, before, IRQ_KIND.localTimer, 0)
    },
    timerInterrupt(cpu) {
      const before = enter(cpu, IRQ_KIND.localTimer, 0)
      if (nextTickPs[cpu] === Number.POSITIVE_INFINITY) {
        spend(cpu, STAGE.tick, 1)
        ticks[cpu]++
      }
      pending[cpu] |= 1 << SOFTIRQ.timer
      if (trace.on) trace.softirqRaise(cpu, clockPs[cpu], SOFTIRQ.timer)
      leave(cpu, before, IRQ_KIND.localTimer, 0)
    },
    plainIpi(cpu, kind) {
      const irqKind = kind === 'resched' ? IRQ_KIND.reschedule : IRQ_KIND.callFunction
      const before = enter(cpu, irqKind, 0)
      spend(cpu, STAGE.ipi, 1)
      if (kind === 'resched') sd.resIpis[cpu]++
      else sd.calIpis[cpu]++
      coldPoll[cpu] = 1
      leave(cpu, before, irqKind, 0)
    },
  }
})
