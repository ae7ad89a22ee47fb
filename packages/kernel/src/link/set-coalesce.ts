import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { IrqVector } from '../nic/components.js'
import { TxQueue } from '../nic/tx-components.js'
import { HostEvent } from './components.js'

/** Gives the vectors of a device whose interrupts come to this CPU the moderation of row `row` of `HostEvent`. */
export type SetCoalesce = (cpu: number, row: number) => void

/** A timer that runs goes on to its end. Kernel: net/ethtool/coalesce.c, ethnl_set_coalesce; ixgbe_ethtool.c, ixgbe_set_coalesce */
export const setCoalesce = defineSystem<SetCoalesce>(
  'set_coalesce',
  'link',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_ethtool.c, ixgbe_set_coalesce',
  (context) => {
    const { dev, rxUsecsPs, rxFrames, txUsecsPs } = context.read(HostEvent)
    const { cpu: vectorCpu, dev: vectorDev, usecsPs, frames } = context.write(IrqVector)
    const { cpu: queueCpu, dev: queueDev, usecsPs: txTimePs } = context.write(TxQueue)
    const { firstVector, idStep } = context.resource(PLAN_CONSTANTS)
    return (cpu, row) => {
      for (let v = firstVector; v < vectorCpu.length; v += idStep) {
        if (vectorCpu[v] !== cpu || vectorDev[v] !== dev[row]) continue
        if (rxUsecsPs[row] >= 0) usecsPs[v] = rxUsecsPs[row]
        if (rxFrames[row] >= 0) frames[v] = rxFrames[row]
      }
      if (txUsecsPs[row] < 0) return
      for (let q = idStep; q < queueCpu.length; q += idStep) {
        if (queueCpu[q] === cpu && queueDev[q] === dev[row]) txTimePs[q] = txUsecsPs[row]
      }
    }
  },
)
