import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { flowHash, hash32, reciprocalScale } from '@softnet/wire'
import { PLAN_CONSTANTS, perCpu, TRACE_SINK } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { napiControl } from '../napi/napi.js'
import { CpuQueue, NetDev, RxQueue } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { pluginHook, SteerVerdict } from '../plugin/hooks.js'
import { Skb } from '../skb/components.js'
import { raiseSoftirq } from '../softirq/raise.js'
import { backlog } from '../softnet/backlog.js'
import { BacklogView, RpsFlow, RpsMapSlot, SockFlow, Softnet } from '../softnet/components.js'
import { arfsKey } from '../wire/nic-steer.js'
import { flowKey } from './flow-key.js'

/** Receive packet steering. */
export interface Steer {
  /** get_rps_cpu: the CPU entity that shall handle the packet, 0 to go on here. */
  cpuOf(cpu: number, row: number): number
  /** Queues a packet to `target`'s backlog from `cpu` and arranges for it to be processed; 0 if it was lost here. */
  toBacklog(cpu: number, row: number, target: number): number
  /** What `from` has learnt of its packets on `target`: `taken` so far, and whether the backlog there is idle. */
  learn(cpu: number, target: number, taken: number, idle: boolean): void
  /** Sends the IPIs owed at the end of net_rx_action or at the start of process_backlog; true if there were any. */
  sendIpis(cpu: number): boolean
  /** True if any queue steers. */
  readonly needed: boolean
}

const NO_CPU = 0xffff

/**
 * RPS and RFS. What this CPU knows of another CPU's backlog is as old as the cache line between them: a view that the
 * other side brings up to date by notes. Kernel: net/core/dev.c, get_rps_cpu, set_rps_cpu, net_rps_send_ipi
 */
export const steer = defineSystem<Steer>('get_rps_cpu', 'netif', 'net/core/dev.c, get_rps_cpu', (context) => {
  const { EVENT, SKB, SOFTIRQ, STAGE, VIA } = NUMBERS

  const { rpsBase, rpsLength, flowBase, flowLog, dev: queueDev } = context.read(RxQueue)
  const { cpu: mapCpu } = context.read(RpsMapSlot)
  const flow = context.write(RpsFlow)
  const { entry: sockFlow } = context.read(SockFlow)
  const view = context.write(BacklogView)
  const { queueHead, queueTail, ipiHead, inNetRx, inputCount, backlogNapi } = context.write(Softnet)
  const { arfs: devArfs, wire: devWire } = context.read(NetDev)
  const { saddr, daddr, ports, ipWord, idFrag, hash, flags, queue, protocol } = context.write(Skb)
  const { flowView, clockPs } = context.read(Cpu)
  const constants = context.resource(PLAN_CONSTANTS)
  const { cpuRows, cpuOfNumber, cpuBase, cpuCount, firstDevice, plan } = constants
  const { sockFlowRows, sockFlowLength, sockFlowCpuMask } = constants
  const trace = context.resource(TRACE_SINK)
  const spend = context.system(charge)
  const post = context.system(mail)
  const queueUp = context.system(backlog)
  const napi = context.system(napiControl)
  const softirq = context.system(raiseSoftirq)
  const queueOfCpu = context.read(CpuQueue)
  const hashedSlot = KERNEL_VERSIONS[plan.kernel].rfsSlot === 'hash_32'
  // Linux draws this key at boot; here it follows from the seed.
  const keyLow = perCpu(constants, (_, index) => flowKey(plan.seed, index)[0])
  const keyHigh = perCpu(constants, (_, index) => flowKey(plan.seed, index)[1])
  const needed = plan.hosts.some((h) =>
    h.devices.some((d) =>
      d.queues.some((q) => q.rpsCpus.length > 0 || q.laterRpsCpus !== undefined || q.rpsFlowCnt > 0),
    ),
  )

  /** skb_get_hash: the NIC's hash if it covered the ports, else a software hash that is the same both ways. */
  function skbHash(cpu: number, row: number): number {
    if ((flags[row] & (SKB.l4Hash | SKB.swHash)) !== 0) return hash[row]
    const isIp = protocol[row] === 0x0800
    const fragment = (idFrag[row] & 0x3fff) !== 0
    const proto = ipWord[row] & 0xff
    const withPorts = isIp && !fragment && (proto === 17 || proto === 6)
    hash[row] = isIp
      ? flowHash(
          keyLow[cpu],
          keyHigh[cpu],
          saddr[row],
          daddr[row],
          withPorts ? ports[row] >>> 16 : 0,
          withPorts ? ports[row] & 0xffff : 0,
          proto,
        )
      : 0
    flags[row] |= SKB.swHash
    return hash[row]
  }

  /** True once `target` has taken every packet up to number `tail` that this CPU gave it. */
  function caughtUp(target: number, from: number, tail: number): boolean {
    const taken = target === from ? queueHead[target] : view.taken[from * cpuRows + target]
    return ((taken - tail) | 0) >= 0
  }

  /** Asks the NIC to send the flow to the wanted CPU's own queue. Kernel: net/core/dev.c, set_rps_cpu (CONFIG_RFS_ACCEL) */
  function steerHardware(cpu: number, rxq: number, key: number, wanted: number): void {
    const dev = queueDev[rxq]
    if (devArfs[dev] === 0) return
    const target = queueOfCpu.queue[(dev - firstDevice) * cpuRows + wanted]
    if (target === 0 || target === rxq || flowLog[target] === 0) return
    const wire = devWire[dev]
    post.note(cpu, wire, VIA.wire, EVENT.arfs, target, 0, key)
  }

  /** The RFS half: moves the flow to the CPU that reads it once the old CPU has no packet of it left. */
  function rfsCpu(cpu: number, rxq: number, h: number, key: number): number {
    const ident = sockFlow[flowView[cpu] * sockFlowRows + (h & (sockFlowLength[cpu] - 1))]
    const cpuMask = sockFlowCpuMask[cpu]
    if (((ident ^ h) & ~cpuMask) !== 0) return 0
    const wanted = ident & cpuMask
    const base = cpuBase[cpu]
    const cpus = cpuCount[cpu]
    const log = flowLog[rxq] - 1
    const slot = flowBase[rxq] + (log === 0 ? 0 : hashedSlot ? hash32(h, log) : h & ((1 << log) - 1))
    let current = flow.cpu[slot]
    if (current !== wanted && (current >= cpus || caughtUp(cpuOfNumber[base + current], cpu, flow.lastTail[slot]))) {
      current = wanted < cpus ? wanted : NO_CPU
      flow.cpu[slot] = current
      flow.hash[slot] = h
      if (current !== NO_CPU) {
        const target = cpuOfNumber[base + current]
        steerHardware(cpu, rxq, key, target)
        flow.lastTail[slot] = target === cpu ? queueHead[cpu] : view.taken[cpu * cpuRows + target]
      }
    }
    if (current >= cpus) return 0
    lastSlot = slot
    return cpuOfNumber[base + current]
  }

  function askIpi(cpu: number, target: number, pair: number): void {
    view.scheduled[pair] = 1
    view.ipiNext[pair] = ipiHead[cpu]
    ipiHead[cpu] = target
    if (inNetRx[cpu] === 0) softirq.raise(cpu, SOFTIRQ.netRx)
  }

  let lastSlot = 0
  const plugins = pluginHook(context, 'get_rps_cpu')
  const verdict = plugins === null ? null : context.write(SteerVerdict).cpu
  const one = new Int32Array(1)

  /** What systems of plugins make of RPS's choice: another CPU of the queue's map, since only to those there is a way. */
  function askPlugins(cpu: number, row: number, rxq: number, chosen: number): number {
    if (plugins === null || verdict === null) return chosen
    one[0] = row
    verdict[row] = chosen
    plugins(one, 1, cpu)
    const target = verdict[row]
    if (target === chosen) return chosen
    const end = rpsBase[rxq] + rpsLength[rxq]
    for (let slot = rpsBase[rxq]; slot < end; slot++) if (mapCpu[slot] === target) return target
    throw new Error(`a plugin steered a packet to entity ${target}, which is no CPU of its queue's rps_cpus`)
  }

  return {
    needed,
    cpuOf(cpu, row) {
      lastSlot = 0
      const rxq = queue[row]
      if (rxq === 0) return 0
      const mapped = rpsLength[rxq]
      const hasFlows = flowLog[rxq] !== 0 && sockFlowLength[cpu] !== 0
      if (mapped === 0 && !hasFlows) return 0
      spend(cpu, STAGE.get_rps_cpu, 1)
      const key =
        devArfs[queueDev[rxq]] === 0
          ? 0
          : arfsKey(flags[row] & SKB.l4Hash, hash[row], saddr[row], daddr[row], ports[row])
      const h = skbHash(cpu, row)
      if (h === 0) return 0
      if (hasFlows) {
        const target = rfsCpu(cpu, rxq, h, key)
        if (target !== 0) return target
      }
      if (mapped === 0) return 0
      const chosen = mapCpu[rpsBase[rxq] + reciprocalScale(h, mapped)]
      return plugins === null ? chosen : askPlugins(cpu, row, rxq, chosen)
    },
    toBacklog(cpu, row, target) {
      spend(cpu, STAGE.enqueue_to_backlog, 1)
      if (trace.on) trace.steer(cpu, clockPs[cpu], row, target)
      const slot = lastSlot
      if (target === cpu) {
        const queued = queueUp.enqueue(cpu, row, 0)
        if (trace.on && queued !== 0) trace.backlogEnqueue(cpu, clockPs[cpu], row, inputCount[cpu])
        if (queued !== 0 && queueUp.needsSchedule()) napi.schedule(cpu, backlogNapi[cpu])
        if (slot !== 0) flow.lastTail[slot] = queueTail[cpu]
        return queued
      }
      // The flow limit is that of the CPU that steers, whatever queue it steers to.
      if (queueUp.refuses(cpu, target, row)) return 0
      const pair = cpu * cpuRows + target
      post.packet(cpu, target, EVENT.backlogPacket, row, cpu, 0)
      view.sent[pair]++
      if (slot !== 0) flow.lastTail[slot] = view.sent[pair]
      if (view.scheduled[pair] === 0) askIpi(cpu, target, pair)
      return 1
    },
    learn(cpu, target, taken, idle) {
      const pair = cpu * cpuRows + target
      view.taken[pair] = taken
      if (!idle) return
      view.scheduled[pair] = 0
      // Packets sent while the other side was going idle wait for an IPI that nobody would send otherwise.
      if (view.sent[pair] !== view.taken[pair]) askIpi(cpu, target, pair)
    },
    sendIpis(cpu) {
      let target = ipiHead[cpu]
      if (target === 0) return false
      ipiHead[cpu] = 0
      while (target !== 0) {
        const pair = cpu * cpuRows + target
        const following = view.ipiNext[pair]
        view.ipiNext[pair] = 0
        spend(cpu, STAGE.send_ipi, 1)
        post.note(cpu, target, VIA.ipi, EVENT.ipiBacklog, cpu, 0, 0)
        target = following
      }
      return true
    },
  }
})
