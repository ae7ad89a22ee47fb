import { HardirqState } from '../irq/components.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import type { Model } from './build-model.js'
import { type PartitionMap, REACHED, type Reach } from './partition-times.js'

/** Both ends of transmit rings: which descriptors the wires know of, and which completions the CPUs. Nobody runs meanwhile. */
export interface TransmitEnds {
  /** CPUs: the wires know of the doorbells they rang. */
  publishDoorbells(p: number): void
  /** A wire: the CPUs know what it has sent. */
  publishCompletions(p: number): void
}

/** Binds the transmit rings of a model. */
export function bindTransmitEnds(model: Model, map: PartitionMap, reach: Reach): TransmitEnds {
  const queues = model.binder.world.columns(TxQueue)
  const { rung, rungSeen, done, doneSeen, slotBase, slotMask, wire, cpu } = queues
  const { postPs, donePs } = model.binder.world.columns(TxSlot)
  const { isLineKnown } = model.binder.world.columns(HardirqState)
  const { partitionOf } = map
  const { base, queue: txQueue } = txLists(model, map.leader)
  return {
    publishDoorbells(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = txQueue[i]
        const seen = rungSeen[queue]
        if (seen === rung[queue]) continue
        rungSeen[queue] = rung[queue]
        reach(partitionOf[wire[queue]], REACHED.frames, postPs, slotBase[queue] + ((seen & slotMask[queue]) >>> 0))
      }
    },
    publishCompletions(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = txQueue[i]
        const seen = doneSeen[queue]
        if (seen === done[queue]) continue
        doneSeen[queue] = done[queue]
        isLineKnown[cpu[queue]] = 0
        reach(partitionOf[cpu[queue]], REACHED.frames, donePs, slotBase[queue] + ((seen & slotMask[queue]) >>> 0))
      }
    },
  }
}

/** Transmit queues whose rings a partition fills (CPUs) or empties (a wire): entries [base[p], base[p + 1]) of `queue`. */
function txLists(model: Model, leaders: Int32Array): { base: Int32Array; queue: Int32Array } {
  const { layout, partitions, binder } = model
  const { cpu, wire } = binder.world.columns(TxQueue)
  const base = new Int32Array(leaders.length + 1)
  const list: number[] = []
  leaders.forEach((leader, p) => {
    for (const queue of layout.hosts.flatMap((host) => host.devices.flatMap((device) => device.txQueues))) {
      const owner = partitions.leader[leader >= layout.firstWire ? wire[queue] : cpu[queue]]
      if (owner === leader) list.push(queue)
    }
    base[p + 1] = list.length
  })
  return { base, queue: Int32Array.from(list) }
}
