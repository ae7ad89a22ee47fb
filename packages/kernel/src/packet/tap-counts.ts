import type { Plan } from '@softnet/scenario/plan'

/** Taps without a reader that see a device's packets, by device index: those on all devices and its own. */
export function tapCounts(plan: Plan): Int32Array {
  const counts: number[] = []
  for (const host of plan.hosts) {
    for (const device of host.devices) {
      const own = device.ifname ?? device.name
      const { taps } = host.netns?.find(({ name }) => name === device.netns) ?? host
      for (const name of [own, ...device.vlans.map((vlan) => `${own}.${vlan}`)]) {
        counts.push(taps.filter((tap) => tap.dev === null || tap.dev === name).length)
      }
    }
  }
  return Int32Array.from(counts)
}

/** Whether any host has a tap without a reader. */
export function hasTaps(plan: Plan): boolean {
  return tapCounts(plan).some((count) => count > 0)
}
