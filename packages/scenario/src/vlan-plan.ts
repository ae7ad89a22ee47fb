import type { InterfaceConf } from './ip-plan.js'

/** A VLAN device. Kernel: include/linux/if_vlan.h, struct vlan_dev_priv */
export interface VlanPlan {
  /** 1 to 4094. */
  readonly id: number
  /** IPv4 addresses with prefix length. */
  readonly addresses: readonly string[]
  readonly mtu: number
  /** `net.ipv4.conf.DEV`. */
  readonly conf: InterfaceConf
}
