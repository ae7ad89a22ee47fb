/** What IP knows of the devices of a host: they, and the VLAN devices on them. */
import type { DevicePlan } from './plan.js'
import type { VlanPlan } from './vlan-plan.js'

/** A device as routes and sockets name it. */
export interface Interface {
  readonly name: string
  /** With prefix length, `192.0.2.1/24`. */
  readonly addresses: readonly string[]
  readonly device: DevicePlan
  /** Position among the VLANs of `device`, from 1; 0: it is the device itself. */
  readonly position: number
  /** What a VLAN device has of its own, null for others and for VLANs that are only received on. */
  readonly vlan: VlanPlan | null
}

/** Devices in order, each with the VLAN devices on it behind it. */
export function interfacesOf(devices: readonly DevicePlan[]): readonly Interface[] {
  return devices.flatMap((device) => [
    { name: device.name, addresses: device.addresses, device, position: 0, vlan: null },
    ...device.vlans.map((id, index) => {
      const vlan = device.vlanDevices?.[index] ?? null
      const addresses = vlan?.addresses ?? []
      return { name: `${device.name}.${id}`, addresses, device, position: index + 1, vlan }
    }),
  ])
}
