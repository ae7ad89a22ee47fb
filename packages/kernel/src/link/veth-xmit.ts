import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { pollVirtual } from '../napi/poll-virtual.js'
import { hasRules, nfHookSlow } from '../netfilter/nf-hook-slow.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmitNit } from '../packet/dev-queue-xmit-nit.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { DevView } from './components.js'
import { hasEvents } from './fill-link.js'
import { NETIF_RX } from './netif-rx.js'

const GROUP_BIT = 0x0100
const BROADCAST_HIGH = 0xffff
const BROADCAST_LOW = 0xffffffff
/** A frame may be longer than the MTU by its header and a VLAN tag. Kernel: net/core/dev.c, __is_skb_forwardable */
const VLAN_HLEN = 4

/**
 * What is sent on one end of a veth pair comes in on the other: through the backlog of the sending CPU, or a ring that the
 * other end polls, where it has NAPI and the packet can be merged. A packet in another namespace starts anew: no route, no
 * mark, no connection; its socket keeps paying for it until IP has it. Returns 0 or NET_XMIT_DROP.
 * Kernel: drivers/net/veth.c, veth_xmit, veth_forward_skb; net/core/dev.c, __dev_forward_skb; net/core/skbuff.c, skb_scrub_packet
 */
export const vethXmit = defineSystem<(cpu: number, row: number) => number>(
  'veth_xmit',
  'link',
  'drivers/net/veth.c, veth_xmit',
  (context) => {
    const { DEV, DEVICE, DROP, ETH_HLEN, FEATURE, IPSKB, NET_XMIT, PACKET_TYPE, SKB, STAGE } = NUMBERS

    const { dev, flags, queue, packetType, rtFlags, priority, wireBytes } = context.write(Skb)
    const { len, ipcb, macHigh: toHigh, macLow: toLow, tstampPs } = context.write(Skb)
    const { index, peer, running, mtu, macHigh, macLow, firstQueue, features, napi } = context.read(NetDev)
    const { clockPs } = context.read(Cpu)
    const count = context.system(counters)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const nit = context.system(devQueueXmitNit)
    const ring = context.system(pollVirtual)
    const backlog = context.resource(NETIF_RX)
    const trace = context.resource(TRACE_SINK)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    const hooks = hasRules(plan) ? context.system(nfHookSlow) : null

    /** Kernel: net/ethernet/eth.c, eth_type_trans */
    function typeOf(row: number, to: number): number {
      if (toHigh[row] === BROADCAST_HIGH && toLow[row] === BROADCAST_LOW) return PACKET_TYPE.broadcast
      if ((toHigh[row] & GROUP_BIT) !== 0) return PACKET_TYPE.multicast
      return toHigh[row] === macHigh[to] && toLow[row] === macLow[to] ? PACKET_TYPE.host : PACKET_TYPE.otherhost
    }

    /** A pair that segments packets itself has nothing to gain from merging them again. Kernel: veth_skb_is_eligible_for_gro */
    function pollsFor(row: number, to: number): boolean {
      const merges = (features[to] & (FEATURE.groList | FEATURE.udpGroForwarding)) !== 0
      return (features[to] & FEATURE.gro) !== 0 && merges && (flags[row] & SKB.charged) !== 0
    }

    function scrub(cpu: number, row: number, to: number): void {
      // What this host has made has a checksum that nobody needs to look at; what it passes on keeps its own.
      const isForwarded = (ipcb[row] & IPSKB.forwarded) !== 0
      if (!isForwarded && (flags[row] & SKB.csumBad) === 0) flags[row] |= SKB.csumUnnecessary
      flags[row] &= ~(SKB.outgoing | SKB.looped | SKB.noEthernet)
      hooks?.begin(cpu, row, 0)
      rtFlags[row] = 0
      priority[row] = 0
      tstampPs[row] = 0
      packetType[row] = typeOf(row, to)
      dev[row] = to
      queue[row] = firstQueue[to]
    }

    function lost(cpu: number, from: number): number {
      count.device(index[from], cpu, DEVICE.txDropped, 1)
      return NET_XMIT.drop
    }

    return (cpu, row) => {
      const from = dev[row]
      const to = peer[from]
      const bytes = len[row] + ETH_HLEN
      spend(cpu, STAGE.ndo_start_xmit, 1)
      if (trace.on) trace.tapOut(cpu, clockPs[cpu], row)
      if (nit.needed) nit.transmit(cpu, row)
      const isDown = running[to] === 0 || (views !== null && (views[index[to] * cpuRows + cpu] & DEV.down) !== 0)
      if (isDown || (bytes > mtu[to] + ETH_HLEN + VLAN_HLEN && (flags[row] & SKB.gso) === 0)) {
        count.device(index[to], cpu, DEVICE.rxDropped, 1)
        kfree(cpu, row, DROP.vethForward)
        return lost(cpu, from)
      }
      const polls = pollsFor(row, to)
      scrub(cpu, row, to)
      wireBytes[row] = bytes
      if (polls) {
        // The poll counts for both ends, and without the header, which is gone by then. Kernel: veth_get_stats64
        wireBytes[row] = len[row]
        if (ring.transmit(cpu, napi[to], row) !== 0) {
          count.device(index[from], cpu, DEVICE.txPackets, 1)
          count.device(index[from], cpu, DEVICE.txBytes, len[row])
          return 0
        }
        kfree(cpu, row, DROP.vethRing)
        return lost(cpu, from)
      }
      if (backlog.rx(cpu, row) === 0) return lost(cpu, from)
      count.device(index[from], cpu, DEVICE.txPackets, 1)
      count.device(index[from], cpu, DEVICE.txBytes, bytes)
      count.device(index[to], cpu, DEVICE.rxPackets, 1)
      count.device(index[to], cpu, DEVICE.rxBytes, bytes)
      return 0
    }
  },
)
