import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { IfAddr, InDev } from '../route/components.js'
import { ifAddrs } from '../route/ifaddr.js'
import { Skb } from '../skb/components.js'
import { NatRange } from './conntrack-components.js'

/** Address that a range without addresses of its own stands for; 0 where the range has them, −1 if there is none. */
export type DeviceAddress = (cpu: number, row: number, range: number, inDev: number, outDev: number) => number

const LOOPBACK = 0x7f000001

/** Kernel: net/netfilter/nf_nat_masquerade.c, nf_nat_masquerade_ipv4; nf_nat_redirect.c, nf_nat_redirect_ipv4 */
export const deviceAddress = defineSystem<DeviceAddress>(
  'device_address',
  'netfilter',
  'net/netfilter/nf_nat_masquerade.c, nf_nat_masquerade_ipv4',
  (context) => {
    const { NO_DEVICE, SCOPE } = NUMBERS

    const { address, secondary, next } = context.read(IfAddr)
    const { firstAddress } = context.read(InDev)
    const { addresses, destination } = context.read(NatRange)
    const { daddr, rtGateway } = context.read(Skb)
    const { net } = context.read(Cpu)
    const table = context.system(ifAddrs)

    function firstPrimary(device: number): number {
      let row = firstAddress[device]
      while (row !== 0 && secondary[row] !== 0) row = next[row]
      return row === 0 ? -1 : address[row]
    }

    return (cpu, row, range, inDev, outDev) => {
      if (addresses[range] !== 2) return 0
      // What the host sends itself is redirected to the loopback address.
      if (destination[range] !== 0) return inDev === NO_DEVICE ? LOOPBACK : firstPrimary(inDev)
      const hop = rtGateway[row] === 0 ? daddr[row] : rtGateway[row]
      const found = table.select(net[cpu], outDev, hop | 0, SCOPE.universe) >>> 0
      return found === 0 ? -1 : found
    }
  },
)
