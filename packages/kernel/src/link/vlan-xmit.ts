import { defineSystem } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { VlanDev } from '../netif/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'

/** Whether there are VLAN devices. */
export function hasVlans({ hosts }: Pick<Plan, 'hosts'>): boolean {
  return hosts.some(({ devices }) => devices.some(({ vlans }) => vlans.length > 0))
}

/** Sending on a VLAN device. */
export interface VlanXmit {
  /** Tags a packet and gives it to the device below; the bytes it counts for. */
  tag(cpu: number, row: number): number
  /** Counts what became of a packet of `bytes` there: 0, a code of `NET_XMIT` or a negative errno. */
  done(cpu: number, dev: number, code: number, bytes: number): void
}

/** A VLAN device has no queue: it tags, and the device below does the rest. Kernel: net/8021q/vlan_dev.c, vlan_dev_hard_start_xmit */
export const vlanXmit = defineSystem<VlanXmit>(
  'vlan_dev_hard_start_xmit',
  'link',
  'net/8021q/vlan_dev.c, vlan_dev_hard_start_xmit',
  (context) => {
    const { DEVICE, ETH_HLEN, NET_XMIT, SKB } = NUMBERS

    const { dev, flags, vlanTci } = context.write(Skb)
    const { len } = context.read(Skb)
    const { lower, id } = context.read(VlanDev)
    const { index } = context.read(NetDev)
    const { clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const count = context.system(counters)
    return {
      tag(cpu, row) {
        const device = dev[row]
        if (trace.on) trace.tapOut(cpu, clockPs[cpu], row)
        vlanTci[row] = id[device]
        flags[row] |= SKB.vlan
        dev[row] = lower[device]
        return len[row] + ETH_HLEN
      },
      done(cpu, dev, code, bytes) {
        if (code !== 0 && code !== NET_XMIT.cn) {
          count.device(index[dev], cpu, DEVICE.txDropped, 1)
          return
        }
        count.device(index[dev], cpu, DEVICE.txPackets, 1)
        count.device(index[dev], cpu, DEVICE.txBytes, bytes)
      },
    }
  },
)
