import { defineSystem } from '@softnet/ecs'
import { COLD_COSTS, PLAN_CONSTANTS } from '../build/constants.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { Napi } from '../napi/components.js'
import { NUMBERS } from '../numbers.js'
import { Qdisc } from '../qdisc/components.js'
import { dynamicQueueLimits } from '../qdisc/dql.js'
import { qdiscRun } from '../qdisc/qdisc-run.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { Dql, TxQueue, TxSlot } from './tx-components.js'

/** What the card has sent, taken out of the rings of a NAPI instance. */
export interface CleanTxIrq {
  begin(napi: number): void
  /** Goes on until the CPU's limit; true when all rings of the instance are done with. `Napi.phase` is 1 if something is left. */
  run(cpu: number, napi: number): boolean
  /** All of it in one go, as the interrupt handler of an old driver does; up to `Cpu.lookPs`. */
  all(cpu: number, napi: number): void
}

/**
 * Frees sent packets, at most so many per poll, tells the byte limits, and wakes a queue that has room again.
 * Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_clean_tx_irq
 */
export const cleanTxIrq = defineSystem<CleanTxIrq>(
  'clean_tx_irq',
  'nic',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_clean_tx_irq',
  (context) => {
    const { STAGE, XOFF } = NUMBERS

    const { firstTx, txCount, txSkip, txCursor, txWork, txBytes, phase } = context.write(Napi)
    const t = context.write(TxQueue)
    const {
      tail,
      clean,
      noticed,
      doneSeen,
      slotBase,
      slotMask,
      ringSize,
      wakeAt,
      workLimit,
      stopped,
      restarts,
      linked,
      skbBase,
    } = t
    const { donePs, madeOn, bytes, sock, truesize } = context.read(TxSlot)
    const { on: bql } = context.read(Dql)
    const { qlen } = context.read(Qdisc)
    const { clockPs, limitPs, lookPs, packetPool } = context.read(Cpu)
    const spend = context.system(charge)
    const spendPs = context.system(chargePs)
    const { cleanLinesPs } = context.resource(COLD_COSTS)
    const { cpuRows } = context.resource(PLAN_CONSTANTS)
    const limits = context.system(dynamicQueueLimits)
    const disciplines = context.system(qdiscRun)
    const wfree = context.system(sockWfree)
    const pool = context.system(skbPool)
    const { page } = context.write(Skb)

    function wake(cpu: number, q: number): void {
      if (stopped[q] === 0) return
      if (ringSize[q] - ((tail[q] - clean[q]) >>> 0) >= wakeAt[q]) stopped[q] &= ~XOFF.driver
      if (bql[q] === 0 || limits.avail(q) >= 0) stopped[q] &= ~XOFF.stack
      if (stopped[q] !== 0) return
      restarts[q]++
      if (qlen[q] > 0) disciplines.schedule(cpu, q)
    }

    function end(cpu: number, n: number, q: number): void {
      if (((noticed[q] - clean[q]) | 0) < 0) noticed[q] = clean[q]
      if (txBytes[n] > 0 && bql[q] !== 0) limits.completed(cpu, q, txBytes[n])
      if (txBytes[n] > 0) wake(cpu, q)
      txBytes[n] = 0
      txWork[n] = 0
    }

    function free(cpu: number, n: number, q: number, slot: number): void {
      spend(cpu, STAGE.clean_tx, 1)
      if (madeOn[slot] !== cpu && madeOn[slot] !== 0)
        spendPs(cpu, STAGE.clean_tx, cleanLinesPs[madeOn[slot] * cpuRows + cpu])
      clean[q]++
      txWork[n]++
      txBytes[n] += bytes[slot]
      if (sock[slot] !== 0) wfree.free(cpu, sock[slot], truesize[slot])
      if (linked[q] === 0) return
      // What went along with the frame was kept for it until now.
      const transit = skbBase[q] + slot - slotBase[q]
      if (page[transit] !== 0) pool.dropPage(transit, packetPool[cpu])
    }

    return {
      all(cpu, n) {
        for (let i = 0; i < txCount[n]; i++) {
          const q = firstTx[n] + i * txSkip[n]
          txWork[n] = 0
          txBytes[n] = 0
          while (clean[q] !== doneSeen[q]) {
            const slot = slotBase[q] + ((clean[q] & slotMask[q]) >>> 0)
            if (donePs[slot] > lookPs[cpu]) break
            free(cpu, n, q, slot)
          }
          end(cpu, n, q)
        }
      },
      begin(n) {
        txCursor[n] = 0
        txWork[n] = 0
        txBytes[n] = 0
      },
      run(cpu, n) {
        while (txCursor[n] < txCount[n]) {
          const q = firstTx[n] + txCursor[n] * txSkip[n]
          while (clean[q] !== doneSeen[q]) {
            if (clockPs[cpu] >= limitPs[cpu]) return false
            const slot = slotBase[q] + ((clean[q] & slotMask[q]) >>> 0)
            if (donePs[slot] > clockPs[cpu]) break
            if (txWork[n] >= workLimit[q]) {
              phase[n] = 1
              break
            }
            free(cpu, n, q, slot)
          }
          // What the card has done is known up to the limit only.
          if (clockPs[cpu] >= limitPs[cpu]) return false
          end(cpu, n, q)
          txCursor[n]++
        }
        return true
      },
    }
  },
)
