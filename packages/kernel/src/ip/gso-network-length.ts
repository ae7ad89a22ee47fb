import { defineSystem } from '@softnet/ecs'
import { Skb } from '../skb/components.js'

/**
 * Length of a segment of a merged packet from its IP header on, bytes: what the card, or the stack, will cut it into.
 * Kernel: net/core/gso.c, skb_gso_network_seglen
 */
export const gsoNetworkLength = defineSystem<(row: number) => number>(
  'skb_gso_network_seglen',
  'ip',
  'net/core/gso.c, skb_gso_network_seglen',
  (context) => {
    const { len, payload, gsoSize } = context.read(Skb)
    return (row) => len[row] - payload[row] + gsoSize[row]
  },
)
