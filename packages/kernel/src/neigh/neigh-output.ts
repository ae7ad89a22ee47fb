import { defineSystem } from '@softnet/ecs'
import { devQueueXmit } from '../qdisc/dev-queue-xmit.js'

/** Hands a packet to the device of its route with the hardware address of its next hop; 0 or a negative errno. */
export type NeighOutput = (cpu: number, row: number) => number

/** Devices without addresses need no neighbour. Kernel: net/core/neighbour.c, neigh_direct_output */
export const neighOutput = defineSystem<NeighOutput>(
  'neigh_output',
  'neigh',
  'net/core/neighbour.c, neigh_direct_output',
  (context) => {
    const xmit = context.system(devQueueXmit)
    return (cpu, row) => xmit(cpu, row)
  },
)
