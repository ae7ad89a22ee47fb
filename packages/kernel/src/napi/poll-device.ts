import { defineSystem, PoolOwner } from '@softnet/ecs'
import { COLD_COSTS, PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { gro } from '../gro/gro.js'
import { vectors } from '../irq/vectors.js'
import { cleanTxIrq } from '../nic/clean-tx-irq.js'
import { NetDev, RxQueue } from '../nic/components.js'
import { ring } from '../nic/ring.js'
import { NUMBERS } from '../numbers.js'
import { Skb, SkbAccount } from '../skb/components.js'
import { rxTruesizeBytes } from '../skb/truesize.js'
import { XDP_PASS, xdp } from '../xdp/xdp.js'
import { Napi } from './components.js'
import { napiControl } from './napi.js'

/** The poll function of a NIC driver, in pieces that can stop between packets. */
export interface PollDevice {
  begin(cpu: number, napi: number): void
  /** Cleans the rings until the CPU's limit; true when the poll is over: `Napi.work` holds what it returns. */
  run(cpu: number, napi: number): boolean
}

const ETH_HEADER_BYTES = 14
const REFILL = { batch: 0, half: 1, each: 2 }

/**
 * Poll of a NIC: cleans each ring of the instance up to its share of the budget, builds skbs and feeds them to GRO; a
 * poll that leaves nothing completes and unmasks. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_poll
 */
export const pollDevice = defineSystem<PollDevice>(
  'napi_poll',
  'napi',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_poll',
  (context) => {
    const { DEVICE, FEATURE, SKB, STAGE, XDP } = NUMBERS

    const napi = context.write(Napi)
    const { work, budget, cursor, cursorWork, firstQueue, queueCount, queueSkip, vector, dev: napiDev, phase } = napi
    const { txCount, txDone } = napi
    const q = context.write(RxQueue)
    const {
      ringHead,
      ringTail,
      cleaned,
      polls,
      pollsDone,
      pollsNonEmpty,
      polledPackets,
      allocFailed,
      ringSize,
      xdpDrop,
      cpu: queueCpu,
      polledBytes,
    } = q
    const {
      features,
      refillBatch,
      refillRule,
      copybreakBytes,
      rxBuffer,
      pagePool,
      mtu,
      index: devIndex,
      host: devHost,
    } = context.read(NetDev)
    const skb = context.write(Skb)
    const { wireBytes, len, truesize, dev, queue, allocCpu, flags, next, groAge } = skb
    const { buffers, limit, reserve } = context.read(SkbAccount)
    const { free, capacity } = context.read(PoolOwner)
    const { clockPs, limitPs, packetPool, coldPoll, lookPs } = context.write(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const { coldPollPs, coldPacketPs } = context.resource(COLD_COSTS)
    const spend = context.system(charge)
    const spendPs = context.system(chargePs)
    const rings = context.system(ring)
    const engine = context.system(gro)
    const control = context.system(napiControl)
    const irq = context.system(vectors)
    const program = context.system(xdp)
    const count = context.system(counters)
    const trace = context.resource(TRACE_SINK)
    const cleaner = context.system(cleanTxIrq)
    const smallHeads = plan.hosts.map((host) => host.smallHeadBytes)
    const { cpuRows, firstDevice } = context.resource(PLAN_CONSTANTS)

    // Neighbouring frames are mostly of one size.
    let knownSize = -1
    let knownDevice = -1
    let knownTruesize = 0

    function share(n: number): number {
      const queues = queueCount[n]
      return queues <= 1 ? budget[n] : Math.max(1, Math.floor(budget[n] / queues))
    }

    /** Gives cleaned descriptors back if there are enough; true if it did, so that time has passed. */
    function refillRing(cpu: number, rxq: number, device: number, atEnd: boolean): boolean {
      const n = cleaned[rxq]
      if (n === 0) return false
      const rule = refillRule[device]
      const due =
        rule === REFILL.batch
          ? n >= refillBatch[device]
          : atEnd && (rule === REFILL.each || n > Math.min(64, ringSize[rxq]) / 2)
      if (!due) return false
      cleaned[rxq] = 0
      // What the wire has done is known up to the beginning of the step only.
      lookPs[queueCpu[rxq]] = clockPs[cpu]
      rings.refill(rxq, n)
      spend(cpu, STAGE.refill, n)
      return true
    }

    /** True if an sk_buff can be had; sets the pfmemalloc flag when it comes from the reserve. */
    function allocSkb(owner: number, row: number): boolean {
      const alive = capacity[owner] - free[owner] - buffers[owner]
      if (alive < limit[owner] - reserve[owner]) return true
      if (alive >= limit[owner]) return false
      flags[row] |= SKB.pfmemalloc
      return true
    }

    function receive(cpu: number, n: number, rxq: number, device: number, row: number): void {
      const size = wireBytes[row]
      if (trace.on) trace.ringTake(cpu, clockPs[cpu], row, rxq)
      spend(cpu, STAGE.clean_rx, 1)
      const cold = coldPacketPs[(device - firstDevice) * cpuRows + cpu]
      if (cold > 0) spendPs(cpu, STAGE.cold_packet, cold)
      cleaned[rxq]++
      work[n]++
      cursorWork[n]++
      allocCpu[row] = cpu
      dev[row] = device
      queue[row] = rxq
      next[row] = 0
      groAge[row] = 0
      polledBytes[rxq] += size
      if ((features[device] & FEATURE.xdpNative) !== 0) {
        const verdict = program.native(cpu, device, row)
        if (verdict !== XDP_PASS) {
          if (verdict <= XDP.drop) xdpDrop[rxq]++
          return
        }
      }
      const copied = size <= copybreakBytes[device]
      if (copied) spend(cpu, STAGE.clean_rx_byte, size)
      if (size !== knownSize || device !== knownDevice) {
        knownSize = size
        knownDevice = device
        knownTruesize = rxTruesizeBytes(
          rxBuffer[device],
          size,
          copybreakBytes[device],
          smallHeads[devHost[device]],
          mtu[device],
        )
      }
      truesize[row] = knownTruesize
      if (copied || pagePool[device] === 0) flags[row] &= ~SKB.ppRecycle
      else flags[row] |= SKB.ppRecycle
      // eth_type_trans
      len[row] -= ETH_HEADER_BYTES
      engine.receive(cpu, n, row)
    }

    function finishQueue(cpu: number, rxq: number, device: number, done: number): void {
      refillRing(cpu, rxq, device, true)
      polls[rxq]++
      if (done > 0) {
        pollsNonEmpty[rxq]++
        polledPackets[rxq] += done
        count.device(devIndex[device], cpu, DEVICE.rxPackets, done)
        count.device(devIndex[device], cpu, DEVICE.rxBytes, polledBytes[rxq])
        polledBytes[rxq] = 0
      }
    }

    /** End of the poll: completes when every ring was left empty; otherwise the whole budget counts as used. */
    function finish(cpu: number, n: number): void {
      const emptied = phase[n] === 0
      if (!emptied) {
        work[n] = budget[n]
        return
      }
      for (let i = 0; i < queueCount[n]; i++) pollsDone[firstQueue[n] + i * (1 + queueSkip[n])]++
      const unmask = control.completeDone(cpu, n, work[n])
      if (vector[n] === 0) return
      irq.adapt(cpu, vector[n])
      if (unmask) irq.unmask(cpu, vector[n])
    }

    return {
      begin(cpu, n) {
        spend(cpu, STAGE.napi_poll, 1)
        if (coldPoll[cpu] !== 0) {
          coldPoll[cpu] = 0
          if (coldPollPs[cpu] > 0) spendPs(cpu, STAGE.napi_poll, coldPollPs[cpu])
        }
        cursor[n] = firstQueue[n]
        cursorWork[n] = 0
        phase[n] = 0
        txDone[n] = txCount[n] === 0 ? 1 : 0
        if (txDone[n] === 0) cleaner.begin(n)
      },
      run(cpu, n) {
        if (txDone[n] === 0) {
          if (!cleaner.run(cpu, n)) return false
          txDone[n] = 1
        }
        const device = napiDev[n]
        const owner = packetPool[cpu]
        const quota = share(n)
        const step = 1 + queueSkip[n]
        const end = firstQueue[n] + queueCount[n] * step
        while (cursor[n] < end) {
          const rxq = cursor[n]
          while (cursorWork[n] < quota) {
            if (clockPs[cpu] >= limitPs[cpu]) return false
            if (refillRing(cpu, rxq, device, false)) continue
            if (ringHead[rxq] === ringTail[rxq]) {
              lookPs[queueCpu[rxq]] = clockPs[cpu]
              if (rings.dma(rxq) === 0) break
              if (ringHead[rxq] === ringTail[rxq]) continue
            }
            if (!allocSkb(owner, rings.peek(rxq))) {
              // The frame is not lost: the same descriptor is tried again on the next poll.
              allocFailed[rxq]++
              phase[n] = 1
              break
            }
            receive(cpu, n, rxq, device, rings.take(rxq))
          }
          // The refill looks at what the wire has done up to now: that has to be known.
          if (clockPs[cpu] >= limitPs[cpu]) return false
          if (cursorWork[n] >= quota) phase[n] = 1
          finishQueue(cpu, rxq, device, cursorWork[n])
          cursor[n] += step
          cursorWork[n] = 0
        }
        finish(cpu, n)
        return true
      },
    }
  },
)
