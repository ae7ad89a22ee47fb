import type { DevicePlan, HostPlan } from '@softnet/scenario/plan'

/** Whether any of the hosts has a veth pair. */
export function hasPairs(hosts: readonly Pick<HostPlan, 'devices'>[]): boolean {
  return hosts.some(({ devices }) => devices.some(({ peer }) => peer !== undefined))
}

/** Whether packets for an end of a pair may wait in a ring that its NAPI polls. Kernel: drivers/net/veth.c, veth_skb_is_eligible_for_gro */
export function hasNapi({ peer, gro, groList, udpGroForwarding }: DevicePlan): boolean {
  return peer !== undefined && gro && (groList || udpGroForwarding)
}
