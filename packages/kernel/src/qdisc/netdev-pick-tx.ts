import { defineSystem } from '@softnet/ecs'
import { reciprocalScale } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { skbHash } from '../netif/skb-hash.js'
import { NetDev, RxQueue } from '../nic/components.js'
import { XpsMap, XpsSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Sock } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'

/** Transmit queue (row of TxQueue) of a device that a packet takes. */
export type NetdevPickTx = (cpu: number, row: number, device: number) => number

/**
 * The queue a connected socket has used before; else XPS by CPU; else the number of the receive queue, or the hash.
 * Kernel: net/core/dev.c, netdev_pick_tx, get_xps_queue, skb_tx_hash
 */
export const netdevPickTx = defineSystem<NetdevPickTx>(
  'netdev_pick_tx',
  'qdisc',
  'net/core/dev.c, netdev_pick_tx',
  (context) => {
    const { SKB } = NUMBERS

    const { firstTx, txCount, txStep, index } = context.read(NetDev)
    const { base, count } = context.read(XpsMap)
    const { queue: xpsQueue } = context.read(XpsSlot)
    const { sock, flags, queue } = context.read(Skb)
    const { index: rxIndex } = context.read(RxQueue)
    const { connected } = context.read(Sock)
    const { queue: sockQueue } = context.write(SockSend)
    const { cpuRows } = context.resource(PLAN_CONSTANTS)
    const hashOf = context.system(skbHash)

    function choose(cpu: number, row: number, device: number): number {
      const map = index[device] * cpuRows + cpu
      const mapped = count[map]
      if (mapped === 1) return xpsQueue[base[map]]
      if (mapped > 1) return xpsQueue[base[map] + reciprocalScale(hashOf(cpu, row), mapped)]
      const isReceived = queue[row] !== 0 && (flags[row] & SKB.charged) === 0
      const number = isReceived
        ? rxIndex[queue[row]] % txCount[device]
        : reciprocalScale(hashOf(cpu, row), txCount[device])
      return firstTx[device] + number * txStep[device]
    }

    return (cpu, row, device) => {
      if (txCount[device] === 1) return firstTx[device]
      const socket = (flags[row] & SKB.charged) !== 0 ? sock[row] : 0
      if (socket === 0 || connected[socket] === 0) return choose(cpu, row, device)
      const end = firstTx[device] + txCount[device] * txStep[device]
      if (sockQueue[socket] < firstTx[device] || sockQueue[socket] >= end) sockQueue[socket] = choose(cpu, row, device)
      return sockQueue[socket]
    }
  },
)
