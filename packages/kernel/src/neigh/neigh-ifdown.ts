import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { Neighbour, NeighTable } from './components.js'
import { neighLookup } from './neigh-lookup.js'

/** Forgets the neighbours of a device in the table that a CPU uses; permanent ones may stay. */
export type NeighIfdown = (cpu: number, dev: number, skipsPermanent: boolean) => void

/** Kernel: net/core/neighbour.c, neigh_flush_dev, neigh_carrier_down, neigh_ifdown */
export const neighIfdown = defineSystem<NeighIfdown>(
  'neigh_flush_dev',
  'neigh',
  'net/core/neighbour.c, neigh_flush_dev',
  (context) => {
    const { DROP, NUD } = NUMBERS

    const { used, dev: devs, state, queueHead, queueTail, queueBytes } = context.write(Neighbour)
    const { firstRow, rows } = context.read(NeighTable)
    const { home } = context.read(Cpu)
    const { next } = context.write(Skb)
    const kfree = context.system(kfreeSkb)
    const lookup = context.system(neighLookup)
    return (cpu, dev, skipsPermanent) => {
      const first = firstRow[home[cpu]]
      for (let row = first; row < first + rows[home[cpu]]; row++) {
        if (used[row] === 0 || devs[row] !== dev) continue
        if (skipsPermanent && state[row] === NUD.permanent) continue
        for (let skb = queueHead[row]; skb !== 0; ) {
          const following = next[skb]
          next[skb] = 0
          kfree(cpu, skb, DROP.neighPurged)
          skb = following
        }
        queueHead[row] = 0
        queueTail[row] = 0
        queueBytes[row] = 0
        lookup.remove(cpu, row)
      }
    }
  },
)
