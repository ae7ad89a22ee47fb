import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { hasVlans } from '../link/vlan-xmit.js'
import { NUMBERS } from '../numbers.js'
import { Qdisc } from '../qdisc/components.js'
import { dynamicQueueLimits } from '../qdisc/dql.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { NetDev } from './components.js'
import { Dql, TxQueue, TxSlot } from './tx-components.js'

/** The transmit half of a driver. */
export interface TxRing {
  /** Puts a packet into the ring: its row is given back, its memory stays charged until the completion. */
  post(cpu: number, queue: number, row: number): void
  /** Tells the card of all descriptors so far at `Qdisc.nowPs`. */
  doorbell(queue: number): void
}

/**
 * Descriptors of a packet: one. The queue stops while the ring could not take the longest packet, or while its bytes are
 * beyond the byte limit. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_xmit_frame_ring, ixgbe_maybe_stop_tx
 */
export const txRing = defineSystem<TxRing>(
  'ndo_start_xmit',
  'nic',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_xmit_frame_ring',
  (context) => {
    const { DEVICE, FEATURE, IP_MF, SKB, VLAN_HLEN, XOFF } = NUMBERS

    const t = context.write(TxQueue)
    const { tail, rung, clean, slotBase, slotMask, ringSize, stopBelow, stopped, dev, fetchPs, linked, skbBase } = t
    const { packets, bytes: sentBytes, stops, ringMax, transStartPs, stalled } = t
    const {
      postPs,
      bytes,
      tagBytes,
      frames: slotFrames,
      request: slotRequest,
      sock: slotSock,
      truesize: slotSize,
      madeOn: slotMadeOn,
    } = context.write(TxSlot)
    const { on: bql } = context.read(Dql)
    const { nowPs } = context.read(Qdisc)
    const { users, frames, wireBytes, request, sock, truesize, allocCpu, flags, page, idFrag, groIdMode } =
      context.write(Skb)
    const { index, features } = context.read(NetDev)
    const vlans = hasVlans(context.resource(PLAN_CONSTANTS).plan)
    const { packetPool, clockPs } = context.read(Cpu)
    const pool = context.system(skbPool)
    const count = context.system(counters)
    const limits = context.system(dynamicQueueLimits)
    return {
      post(cpu, q, row) {
        const position = tail[q]
        const offset = (position & slotMask[q]) >>> 0
        const slot = slotBase[q] + offset
        // A card that puts the tag in has it counted nowhere. Kernel: net/core/dev.c, validate_xmit_vlan
        const tag = vlans && (flags[row] & SKB.vlan) !== 0 ? VLAN_HLEN * frames[row] : 0
        const isIn = tag !== 0 && (features[dev[q]] & FEATURE.vlanTx) === 0
        const size = isIn ? wireBytes[row] + tag : wireBytes[row]
        bytes[slot] = size
        if (vlans) tagBytes[slot] = isIn ? 0 : tag
        slotFrames[slot] = frames[row]
        // The last fragment of an answer is the answer.
        slotRequest[slot] = (idFrag[row] & IP_MF) !== 0 ? 0 : request[row]
        slotSock[slot] = (flags[row] & SKB.charged) !== 0 ? sock[row] : 0
        slotSize[slot] = truesize[row]
        slotMadeOn[slot] = allocCpu[row]
        if (linked[q] !== 0) {
          const transit = skbBase[q] + offset
          if (page[row] !== 0) pool.unshare(row, packetPool[cpu])
          pool.copy(transit, row)
          users[transit] = 1
          flags[transit] &= ~SKB.charged
          groIdMode[transit] = groIdMode[row]
        }
        pool.release(row, packetPool[cpu])
        tail[q] = position + 1
        packets[q] += slotFrames[slot]
        sentBytes[q] += size
        count.device(index[dev[q]], cpu, DEVICE.txPackets, slotFrames[slot])
        count.device(index[dev[q]], cpu, DEVICE.txBytes, size)
        const used = (position + 1 - clean[q]) >>> 0
        if (used > ringMax[q]) ringMax[q] = used
        if (ringSize[q] - used < stopBelow[q]) {
          stopped[q] |= XOFF.driver
          transStartPs[q] = clockPs[cpu]
          stops[q]++
        }
        if (bql[q] === 0) return
        limits.queued(q, size)
        if (limits.avail(q) >= 0) return
        stopped[q] |= XOFF.stack
        transStartPs[q] = clockPs[cpu]
      },
      doorbell(q) {
        if (stalled[q] !== 0) return
        const at = nowPs[q] + fetchPs[q]
        for (let position = rung[q]; position !== tail[q]; position = (position + 1) >>> 0) {
          postPs[slotBase[q] + ((position & slotMask[q]) >>> 0)] = at
        }
        rung[q] = tail[q]
      },
    }
  },
)
