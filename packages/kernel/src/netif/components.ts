import { defineComponent, i32 } from '@softnet/ecs'

/** VLAN devices: row `device index * 4096 + VLAN id`, 0 where there is none; declared only when a plan has VLANs. */
export const VlanDevice = defineComponent('vlan_device', { device: i32 })
