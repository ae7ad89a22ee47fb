import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { HardirqState } from '../irq/components.js'
import { vectors } from '../irq/vectors.js'
import { DevClose } from '../link/components.js'
import { hasStalls } from '../link/fill-link.js'
import { Napi } from '../napi/components.js'
import { napiControl } from '../napi/napi.js'
import { NUMBERS } from '../numbers.js'
import { dynamicQueueLimits } from '../qdisc/dql.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { cleanTxIrq } from './clean-tx-irq.js'
import { IrqVector, NetDev, RxQueue } from './components.js'
import { ring } from './ring.js'
import { TxQueue } from './tx-components.js'
import { txTimeout } from './tx-timeout.js'

/** A CPU's part of opening and closing a device: the vectors and queues that are its own. The wire is known up to `Cpu.lookPs`. */
export interface NdoStop {
  /** Kernel: ndo_stop */
  stop(cpu: number, dev: number): void
  /** A close that had to wait looks again. */
  retry(cpu: number, dev: number): void
  /** Kernel: ndo_open */
  open(cpu: number, dev: number): void
}

/** How long napi_disable sleeps between two looks, ps. Kernel: net/core/dev.c, napi_disable_locked (usleep_range) */
const NAPI_WAIT_PS = 20e6
/** How long a driver sleeps while its card sends what it has, ps. */
const DRAIN_WAIT_PS = 1e9

/**
 * Receiving ends at once; then the driver waits for polls to end (napi_disable), frees what is in its rings, and lets the card
 * send what it has been told of. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_down, ixgbe_up
 */
export const ndoStop = defineSystem<NdoStop>(
  'ndo_stop',
  'nic',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_down',
  (context) => {
    const { DROP, EVENT, NAPIF } = NUMBERS

    const { index } = context.read(NetDev)
    const { state: closing } = context.write(DevClose)
    const v = context.write(IrqVector)
    const rx = context.write(RxQueue)
    const tx = context.write(TxQueue)
    const { state: napiState, thread } = context.write(Napi)
    const { frames, next } = context.write(Skb)
    const { clockPs, packetPool } = context.write(Cpu)
    const { isLineKnown } = context.write(HardirqState)
    const { plan, cpuRows, firstVector, idStep } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const events = context.system(eventList)
    const control = context.system(napiControl)
    const line = context.system(vectors)
    const rings = context.system(ring)
    const pool = context.system(skbPool)
    const count = context.system(counters)
    const cleaner = context.system(cleanTxIrq)
    const limits = context.system(dynamicQueueLimits)
    const hangs = hasStalls(plan) ? context.system(txTimeout) : null

    function lose(cpu: number, queue: number, row: number): void {
      count.drop(cpu, DROP.devClosed, frames[row], clockPs[cpu])
      if (trace.on) trace.frameDrop(cpu, clockPs[cpu], row, DROP.devClosed, queue)
      pool.release(row, packetPool[cpu])
    }

    /** Kernel: ixgbe_clean_rx_ring */
    function cleanRing(cpu: number, queue: number): void {
      for (let row = rings.take(queue); row !== 0; row = rings.take(queue)) lose(cpu, queue, row)
      for (let row = rx.heldHead[queue]; row !== 0; ) {
        const following = next[row]
        rings.unhold(queue, row)
        lose(cpu, queue, row)
        row = following
      }
      rx.cleaned[queue] = 0
      rx.descriptors[queue] = 0
    }

    function eachQueue(vector: number, what: (queue: number) => void): void {
      const step = 1 + v.queueSkip[vector]
      for (let i = 0; i < v.queueCount[vector]; i++) what(v.firstQueue[vector] + i * step)
    }

    function eachVector(cpu: number, dev: number, what: (vector: number) => void): void {
      for (let vector = firstVector; vector < v.dev.length; vector += idStep) {
        if (v.dev[vector] === dev && v.cpu[vector] === cpu) what(vector)
      }
    }

    /** True once no poll is under way and the card has sent everything; the vector is then closed. */
    function isClosed(cpu: number, vector: number): boolean {
      const napi = v.napi[vector]
      if ((napiState[napi] & NAPIF.npsvc) === 0 && !control.disable(napi)) return false
      v.masked[vector] = 1
      eachQueue(vector, (queue) => cleanRing(cpu, queue))
      if (v.txCount[vector] > 0) cleaner.all(cpu, napi)
      for (let i = 0; i < v.txCount[vector]; i++) {
        const queue = v.firstTx[vector] + i * v.txSkip[vector]
        // A card that hangs would never send it.
        if (tx.stalled[queue] !== 0) hangs?.reset(cpu, queue)
        if (tx.clean[queue] !== tx.tail[queue]) return false
      }
      return true
    }

    function go(cpu: number, dev: number): void {
      const row = index[dev] * cpuRows + cpu
      let isDone = true
      let isPolling = false
      eachVector(cpu, dev, (vector) => {
        if (isClosed(cpu, vector)) return
        isDone = false
        if ((napiState[v.napi[vector]] & NAPIF.npsvc) === 0) isPolling = true
      })
      if (!isDone) {
        events.push(cpu, cpu, clockPs[cpu] + (isPolling ? NAPI_WAIT_PS : DRAIN_WAIT_PS), EVENT.devClose, dev, 0, 0)
        return
      }
      const reopens = closing[row] === 2
      closing[row] = 0
      if (reopens) open(cpu, dev)
    }

    function open(cpu: number, dev: number): void {
      const row = index[dev] * cpuRows + cpu
      if (closing[row] !== 0) {
        closing[row] = 2
        return
      }
      eachVector(cpu, dev, (vector) => {
        eachQueue(vector, (queue) => {
          // What came while it was closed is lost.
          rings.dma(queue)
          rx.closed[queue] = 0
          rx.descriptors[queue] = rx.ringSize[queue] - 1
        })
        for (let i = 0; i < v.txCount[vector]; i++) {
          const queue = v.firstTx[vector] + i * v.txSkip[vector]
          tx.stopped[queue] = 0
          limits.reset(cpu, queue)
        }
        const napi = v.napi[vector]
        control.enable(napi)
        if (thread[napi] !== 0) napiState[napi] |= NAPIF.threaded
        line.unmask(cpu, vector)
      })
    }

    return {
      stop(cpu, dev) {
        const row = index[dev] * cpuRows + cpu
        isLineKnown[cpu] = 0
        eachVector(cpu, dev, (vector) => {
          v.masked[vector] = 1
          v.timerArmed[vector] = 0
          v.armSequence[vector]++
          eachQueue(vector, (queue) => {
            rx.closed[queue] = 1
            rx.descriptors[queue] = 0
          })
        })
        if (closing[row] !== 0) {
          closing[row] = 1
          return
        }
        closing[row] = 1
        go(cpu, dev)
      },
      retry: go,
      open,
    }
  },
)
