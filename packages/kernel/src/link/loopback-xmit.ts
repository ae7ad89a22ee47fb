import { defineSystem } from '@softnet/ecs'
import { counters } from '../count/counters.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { NETIF_RX } from './netif-rx.js'

/** The loopback device: what is sent on it comes in on it. Kernel: drivers/net/loopback.c, loopback_xmit */
export const loopbackXmit = defineSystem<(cpu: number, row: number) => number>(
  'loopback_xmit',
  'link',
  'drivers/net/loopback.c, loopback_xmit',
  (context) => {
    const { DEVICE, PACKET_TYPE, SKB } = NUMBERS

    const { dev, flags, queue, packetType, wireBytes } = context.write(Skb)
    const { index } = context.read(NetDev)
    const count = context.system(counters)
    const wfree = context.system(sockWfree)
    const backlog = context.resource(NETIF_RX)
    return (cpu, row) => {
      const device = index[dev[row]]
      wfree.orphan(cpu, row)
      count.device(device, cpu, DEVICE.txPackets, 1)
      count.device(device, cpu, DEVICE.txBytes, wireBytes[row])
      count.device(device, cpu, DEVICE.rxPackets, 1)
      count.device(device, cpu, DEVICE.rxBytes, wireBytes[row])
      flags[row] |= SKB.csumUnnecessary | SKB.noEthernet | SKB.looped
      packetType[row] = PACKET_TYPE.host
      queue[row] = 0
      backlog.rx(cpu, row)
      return 0
    }
  },
)
