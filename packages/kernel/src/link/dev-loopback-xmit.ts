import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { NETIF_RX } from './netif-rx.js'

/** Gives a copy of a broadcast or group packet back to its host, with the route it was sent by. Kernel: net/core/dev.c, dev_loopback_xmit */
export const devLoopbackXmit = defineSystem<(cpu: number, row: number) => void>(
  'dev_loopback_xmit',
  'link',
  'net/core/dev.c, dev_loopback_xmit',
  (context) => {
    const { PACKET_TYPE, SKB } = NUMBERS

    const { flags, packetType, queue } = context.write(Skb)
    const backlog = context.resource(NETIF_RX)
    return (cpu, row) => {
      flags[row] |= SKB.csumUnnecessary | SKB.noEthernet | SKB.looped
      packetType[row] = PACKET_TYPE.loopback
      queue[row] = 0
      backlog.rx(cpu, row)
    }
  },
)
