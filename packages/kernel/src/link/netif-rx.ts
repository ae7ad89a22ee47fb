import { defineResource } from '@softnet/ecs'

/** Resource key of netif_rx: puts a packet into the backlog of the CPU that calls it, or of one that RPS chooses; 0 if it was lost at once. Kernel: net/core/dev.c, __netif_rx */
export const NETIF_RX = defineResource<{ rx: (cpu: number, row: number) => number }>('netif_rx')
