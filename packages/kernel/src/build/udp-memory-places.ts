import type { UdpMemoryPlaces } from '../sock/udp-memory.js'
import { udpMemoryCanBind } from '../sock/udp-memory-bound.js'
import type { HostLayout, Layout } from './layout.js'
import { socketCpu } from './reach.js'

/** Leaders of the partitions that own sockets of a host, ascending. */
function socketLeaders(host: HostLayout, leader: Int32Array): Int32Array {
  const leaders = new Set<number>()
  host.plan.apps.forEach((app, a) => {
    app.sockets.forEach((_, s) => {
      leaders.add(leader[socketCpu(host, a, s)] as number)
    })
  })
  return Int32Array.from([...leaders].sort((a, b) => a - b))
}

/** Says for each host whether the memory of its UDP sockets is accounted, and where the total is at home. */
export function udpMemoryPlaces(layout: Layout, leader: Int32Array): UdpMemoryPlaces {
  const { plan, hosts } = layout
  const leaders = hosts.map((host) => socketLeaders(host, leader))
  return {
    accounted: Uint8Array.from(hosts, (host) => (udpMemoryCanBind(host.plan, plan.kernel) ? 1 : 0)),
    home: Int32Array.from(leaders, (list) => list[0] ?? 0),
    leaders,
  }
}

/** Ordered pairs of CPUs between which the total of an accounted host passes: every CPU to its home, the home to every partition. */
export function udpMemoryEdges(layout: Layout, leader: Int32Array): { readonly from: number; readonly to: number }[] {
  const { accounted, home, leaders } = udpMemoryPlaces(layout, leader)
  const edges: { from: number; to: number }[] = []
  layout.hosts.forEach((host, h) => {
    const list = leaders[h] as Int32Array
    if (accounted[h] === 0 || list.length < 2) return
    host.cpus.forEach((from) => {
      const own = leader[from] as number
      if (own === home[h]) for (const to of list) edges.push({ from, to })
      else if (list.includes(own)) edges.push({ from, to: home[h] as number })
    })
  })
  return edges
}
