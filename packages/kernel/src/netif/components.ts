import { defineComponent, i32, u16 } from '@softnet/ecs'

/** Handlers a device can have (values of `NetDev.rxHandler`) and what they answer. Kernel: include/linux/netdevice.h, rx_handler_result */
export const RX_HANDLER = {
  none: 0,
  pass: 1,
  consume: 2,
  custom: 3,
  consumed: 1,
  another: 2,
  exact: 3,
  passed: 4,
} as const

/** VLAN devices: row `device index * 4096 + VLAN id`, 0 where there is none; declared only when a plan has VLANs. */
export const VlanDevice = defineComponent('vlan_device', { device: i32 })

/** VLAN devices by entity: the device below, and the id. Constant in a run. Kernel: include/linux/if_vlan.h, struct vlan_dev_priv */
export const VlanDev = defineComponent('vlan_dev', { lower: i32, id: u16 })
