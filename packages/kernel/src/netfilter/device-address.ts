import { defineSystem } from '@softnet/ecs'
import { IfAddr, InDev } from '../route/components.js'

/** First address of a device entity, 0 if it has none. */
export type DeviceAddress = (device: number) => number

/** Primary address of a device. Kernel: net/ipv4/devinet.c, inet_select_addr */
export const deviceAddress = defineSystem<DeviceAddress>(
  'device_address',
  'netfilter',
  'net/ipv4/devinet.c, inet_select_addr',
  (context) => {
    const { address } = context.read(IfAddr)
    const { firstAddress } = context.read(InDev)
    // Row 0 has no address.
    return (device) => address[firstAddress[device]]
  },
)
