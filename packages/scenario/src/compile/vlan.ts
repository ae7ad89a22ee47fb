/** VLAN devices of a device. */
import type { FaultPath, Report } from '../fault.js'
import type { InterfaceConf } from '../ip-plan.js'
import type { DevicePlan } from '../plan.js'
import type { DeviceInput } from '../schema/device.js'
import type { VlanInput } from '../schema/vlan.js'
import type { VlanPlan } from '../vlan-plan.js'

/** Addresses as a user writes them, each with its prefix length. */
export function addressList(
  address: string | readonly string[] | undefined,
  path: FaultPath,
  report: Report,
): readonly string[] {
  if (address === undefined) return []
  const given = typeof address === 'string' ? [address] : address
  const seen = new Set<string>()
  given.forEach((text, position) => {
    const ip = text.split('/')[0] as string
    if (seen.has(ip)) report.fault([...path, 'address', position], 'each address once')
    seen.add(ip)
  })
  return [...new Set(given)].map((text) => (text.includes('/') ? text : `${text}/32`))
}

/** Ids of the VLAN devices on a device, and what they have of their own. Kernel: net/8021q/vlan_netlink.c, vlan_newlink */
export function compileVlans(
  input: DeviceInput,
  mtu: number,
  confOf: (vlan: VlanInput) => InterfaceConf,
  path: FaultPath,
  report: Report,
): Pick<DevicePlan, 'vlans' | 'vlanDevices'> {
  const { vlans } = input
  if (vlans === undefined || Array.isArray(vlans)) return { vlans: [...new Set(vlans ?? [])] }
  const given = Object.entries(vlans as Record<string, VlanInput | undefined>).map(
    ([id, vlan]) => [Number(id), vlan ?? {}] as const,
  )
  const vlanDevices = given.map(([id, vlan]): VlanPlan => {
    const here = [...path, 'vlans', String(id)]
    // A frame may be longer than the MTU by its tag, so the VLAN has that of the device. Kernel: vlan_dev_change_mtu
    if (vlan.mtu !== undefined && vlan.mtu > mtu)
      report.fault([...here, 'mtu'], `at most ${mtu}, the MTU of the device below`)
    return {
      id,
      addresses: addressList(vlan.address, here, report),
      mtu: vlan.mtu ?? mtu,
      conf: confOf(vlan),
    }
  })
  return { vlans: given.map(([id]) => id), vlanDevices }
}
