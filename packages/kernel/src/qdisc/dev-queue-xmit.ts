import { defineSystem } from '@softnet/ecs'
import { ETH_HLEN, ETH_P_IP } from '@softnet/wire'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { DEVICE } from '../count/device.js'
import { DROP } from '../count/drops.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { loopbackXmit } from '../link/loopback-xmit.js'
import { PROGRAM_XMIT } from '../link/program-xmit.js'
import { IFF, NetDev, XMIT } from '../nic/components.js'
import { ERRNO } from '../route/components.js'
import { IPSKB, Skb } from '../skb/components.js'
import { kfreeSkb, skbPool } from '../skb/skb-pool.js'

/** Sends a packet by its device; 0 or a negative errno. The packet is gone afterwards. */
export type DevQueueXmit = (cpu: number, row: number) => number

/**
 * Hands a packet to its device at once: devices have no queueing discipline yet.
 * Kernel: net/core/dev.c, __dev_queue_xmit, dev_hard_start_xmit
 */
export const devQueueXmit = defineSystem<DevQueueXmit>(
  '__dev_queue_xmit',
  'qdisc',
  'net/core/dev.c, __dev_queue_xmit',
  (context) => {
    const { dev, frames, len, wireBytes } = context.write(Skb)
    const { ipcb, protocol } = context.read(Skb)
    const { index, running, xmit, iff, transmits } = context.read(NetDev)
    const { packetPool, clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const count = context.system(counters)
    const spend = context.system(charge)
    const pool = context.system(skbPool)
    const kfree = context.system(kfreeSkb)
    const loopback = context.system(loopbackXmit)
    const program = context.resource(PROGRAM_XMIT)

    /** What the way from the route to the wire takes of the CPU. */
    function chargeWay(cpu: number, row: number): void {
      if ((ipcb[row] & IPSKB.forwarded) !== 0) spend(cpu, STAGE.ip_forward, 1)
      if (protocol[row] === ETH_P_IP) spend(cpu, STAGE.ip_output, 1)
      spend(cpu, STAGE.dev_queue_xmit, 1)
      spend(cpu, STAGE.ndo_start_xmit, 1)
      spend(cpu, STAGE.clean_tx, 1)
    }

    /** The frame has left the host. */
    function leave(cpu: number, row: number, device: number): void {
      count.device(index[device], cpu, DEVICE.txPackets, frames[row])
      count.device(index[device], cpu, DEVICE.txBytes, wireBytes[row])
      count.sent(cpu, frames[row])
      if (trace.on) trace.sent(cpu, clockPs[cpu], row)
      pool.release(row, packetPool[cpu])
    }

    return (cpu, row) => {
      const device = dev[row]
      if (running[device] === 0) {
        kfree(cpu, row, DROP.devDown)
        return -ERRNO.ENETDOWN
      }
      wireBytes[row] = len[row] + ((iff[device] & (IFF.noarp | IFF.loopback)) !== 0 ? 0 : ETH_HLEN)
      if (xmit[device] === XMIT.loopback) return loopback(cpu, row)
      if (transmits[device] !== 0) chargeWay(cpu, row)
      if (xmit[device] === XMIT.program && program.xmit !== null) program.xmit(cpu, row)
      leave(cpu, row, device)
      return 0
    }
  },
)
