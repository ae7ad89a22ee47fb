import { defineSystem } from '@softnet/ecs'
import { IpAddress } from '../ip/components.js'

/** First address of a device entity, 0 if it has none. */
export type DeviceAddress = (device: number) => number

/** Primary address of a device. Kernel: net/ipv4/devinet.c, inet_select_addr */
export const deviceAddress = defineSystem<DeviceAddress>(
  'inet_select_addr',
  'netfilter',
  'net/ipv4/devinet.c, inet_select_addr',
  (context) => {
    const { address, dev } = context.read(IpAddress)
    const count = address.length
    return (device) => {
      for (let row = 1; row < count; row++) if (dev[row] === device) return address[row]
      return 0
    }
  },
)
