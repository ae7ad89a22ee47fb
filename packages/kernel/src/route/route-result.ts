import { defineComponent, defineSystem, i32 } from '@softnet/ecs'
import { Skb } from '../skb/components.js'

/** What an output route lookup found: one row per CPU entity, overwritten by the next lookup of the CPU. Kernel: struct rtable, struct flowi4 */
export const RouteResult = defineComponent(
  'route_result',
  {
    type: i32,
    flags: i32,
    dev: i32,
    gateway: i32,
    mtu: i32,
    /** Row of `FibRoute`, 0 for none; and whether its MTU must not be probed. */
    route: i32,
    locked: i32,
    /** Time to live that the route asks for, 0 for none. */
    hoplimit: i32,
    /** Addresses as the lookup filled them in. */
    saddr: i32,
    daddr: i32,
  },
  { role: 'observer' },
)

/** Gives a packet the route that its CPU has just looked up. Kernel: include/linux/skbuff.h, skb_dst_set */
export const skbDstSet = defineSystem<(cpu: number, row: number) => void>(
  'skb_dst_set',
  'route',
  'include/linux/skbuff.h, skb_dst_set',
  (context) => {
    const { type, flags, dev, gateway, mtu } = context.read(RouteResult)
    const { rtType, rtFlags, rtDev, rtGateway, rtMtu, rtError } = context.write(Skb)
    return (cpu, row) => {
      rtType[row] = type[cpu]
      rtFlags[row] = flags[cpu]
      rtDev[row] = dev[cpu]
      rtGateway[row] = gateway[cpu]
      rtMtu[row] = mtu[cpu]
      rtError[row] = 0
    }
  },
)
