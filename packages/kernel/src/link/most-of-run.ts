import type { EventAction, HostPlan, Plan, QdiscPlan } from '@softnet/scenario/plan'

function actionsOf<K extends EventAction['kind']>(
  plan: Plan,
  host: string,
  kind: K,
): Extract<EventAction, { readonly kind: K }>[] {
  return (plan.events ?? []).flatMap(({ host: on, action }) =>
    on === host && action.kind === kind ? [action as Extract<EventAction, { readonly kind: K }>] : [],
  )
}

/** Greatest value that `net.core.netdev_max_backlog` of a host has in a run. */
export function mostBacklog(plan: Plan, { name, sysctl }: HostPlan): number {
  const values = actionsOf(plan, name, 'sysctl').filter((each) => each.name === 'net.core.netdev_max_backlog')
  return Math.max(sysctl['net.core.netdev_max_backlog'], ...values.map(({ value }) => value))
}

/** Most receive descriptors that a queue of a device has in a run. */
export function mostRing(plan: Plan, host: string, { name, rxRing }: { name: string; rxRing: number }): number {
  const values = actionsOf(plan, host, 'rings').filter(({ dev }) => dev === name)
  return Math.max(rxRing, ...values.map(({ rx }) => rx))
}

/** Disciplines that queues of a device have in a run, the first one first. */
export function disciplinesOf(plan: Plan, host: string, name: string, first: QdiscPlan): readonly QdiscPlan[] {
  return [first, ...actionsOf(plan, host, 'qdisc').flatMap(({ dev, qdisc }) => (dev === name ? [qdisc] : []))]
}

/** Whether settings of hosts are changed in a run. */
export function changesSettings(plan: Plan): boolean {
  return (plan.events ?? []).some(({ action }) => action.kind === 'sysctl')
}

/** Whether somebody switches features of a host's devices, which all its CPUs look at. */
export function switchesFeatures(plan: Plan, host: string): boolean {
  return actionsOf(plan, host, 'features').length > 0
}
