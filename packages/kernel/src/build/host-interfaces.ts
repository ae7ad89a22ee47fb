import { type Interface, interfacesOf } from '@softnet/scenario/plan'
import type { HostLayout } from './layout.js'

/** A device or VLAN device of a host or namespace, with its entity. */
export interface HostInterface extends Interface {
  readonly id: number
}

/** Devices of a host or namespace in order of their entities: VLAN devices follow the one they are on. */
export function hostInterfaces({ devices }: Pick<HostLayout, 'devices'>): readonly HostInterface[] {
  return devices.flatMap(({ device, plan }) =>
    interfacesOf([plan]).map((each) => ({ ...each, id: device + each.position })),
  )
}

/** Entity of a name on a host or namespace, 0 for none. */
export function interfaceNamed(host: Pick<HostLayout, 'devices'>, name: string): number {
  return hostInterfaces(host).find((each) => each.name === name)?.id ?? 0
}
