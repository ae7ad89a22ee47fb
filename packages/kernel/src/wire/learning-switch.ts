import { defineSystem, mixSigned32 } from '@softnet/ecs'
import { NetDev } from '../nic/components.js'
import { Skb } from '../skb/components.js'
import { WireTurn } from './components.js'
import { FdbEntry, Link } from './link-components.js'

/** Addresses a switch has learnt; now is `WireTurn.nextPs` of its leader. */
export interface LearningSwitch {
  /** Remembers behind which port the sender of a frame is. Kernel: net/bridge/br_fdb.c, br_fdb_update */
  learn(link: number, row: number, wire: number, leader: number): void
  /** Port (wire) of the frame's receiver, 0 if it is not known. Kernel: net/bridge/br_fdb.c, br_fdb_find_rcu */
  find(link: number, row: number, leader: number): number
}

/** The address table of a switch: what is silent for too long is forgotten, and a full table learns nothing new. */
export const learningSwitch = defineSystem<LearningSwitch>(
  'learning_switch',
  'wire',
  'net/bridge/br_fdb.c, br_fdb_update',
  (context) => {
    const { fdbBase, fdbMask, fdbMax, fdbCount, ageingPs } = context.write(Link)
    const { macHigh, macLow, wire: port, seenPs } = context.write(FdbEntry)
    const { nextPs } = context.read(WireTurn)
    const { macHigh: toHigh, macLow: toLow, dev } = context.read(Skb)
    const { macHigh: devHigh, macLow: devLow } = context.read(NetDev)

    /** Row of an address, or the empty row where it would be. */
    function rowOf(link: number, high: number, low: number): number {
      const base = fdbBase[link]
      const mask = fdbMask[link]
      let slot = mixSigned32(low, high) & mask
      for (;;) {
        const row = base + slot
        if (port[row] === 0 || (macLow[row] === low && macHigh[row] === high)) return row
        slot = (slot + 1) & mask
      }
    }

    return {
      learn(link, row, wire, leader) {
        const high = devHigh[dev[row]]
        const low = devLow[dev[row]]
        const entry = rowOf(link, high, low)
        if (port[entry] === 0) {
          if (fdbCount[link] >= fdbMax[link]) return
          fdbCount[link]++
          macHigh[entry] = high
          macLow[entry] = low
        }
        port[entry] = wire
        seenPs[entry] = nextPs[leader]
      },
      find(link, row, leader) {
        const entry = rowOf(link, toHigh[row], toLow[row])
        return port[entry] !== 0 && nextPs[leader] - seenPs[entry] < ageingPs[link] ? port[entry] : 0
      },
    }
  },
)
