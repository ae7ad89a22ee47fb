import { defineSystem } from '@softnet/ecs'
import { ARP_LEN, ETH_P_ARP, emitArp } from '@softnet/wire'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmit } from '../qdisc/dev-queue-xmit.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'

/** Sends one ARP message; hardware addresses in two parts, the frame's destination and the message's target. Kernel: net/ipv4/arp.c, arp_send_dst */
export type ArpSend = (
  cpu: number,
  op: number,
  dev: number,
  sourceIp: number,
  targetIp: number,
  destHigh: number,
  destLow: number,
  targetHigh: number,
  targetLow: number,
) => void

/** Makes and sends ARP messages. Kernel: net/ipv4/arp.c, arp_create, arp_xmit */
export const arpSend = defineSystem<ArpSend>('arp_send', 'neigh', 'net/ipv4/arp.c, arp_create', (context) => {
  const { IFF } = NUMBERS

  const { dev: skbDev, protocol, macHigh, macLow, page } = context.write(Skb)
  const { iff, macHigh: devHigh, macLow: devLow } = context.read(NetDev)
  const alloc = context.system(allocSkb)
  const pages = context.system(packetPages)
  const xmit = context.system(devQueueXmit)
  return (cpu, op, dev, sourceIp, targetIp, destHigh, destLow, targetHigh, targetLow) => {
    if ((iff[dev] & IFF.noarp) !== 0) return
    const row = alloc.make(cpu, ARP_LEN, true)
    if (row === 0) return
    const at = pages.first(page[row])
    emitArp(pages.view, at, op, devHigh[dev], devLow[dev], sourceIp >>> 0, targetHigh, targetLow, targetIp >>> 0)
    skbDev[row] = dev
    protocol[row] = ETH_P_ARP
    macHigh[row] = destHigh
    macLow[row] = destLow
    xmit(cpu, row)
  }
})
