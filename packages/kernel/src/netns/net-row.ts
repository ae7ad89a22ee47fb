import type { BindContext } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { Cpu } from '../cpu/components.js'

/**
 * What to add to a CPU for its row in the counters of a namespace: the initial ones of all hosts share the first block, since
 * a CPU is of one host. `hosts` is the number of hosts.
 */
export function netRow(net: number, hosts: number, cpuRows: number): number {
  return net < hosts ? 0 : (net - hosts + 1) * cpuRows
}

/** Rows of a table with one row per CPU and namespace. */
export function netRows({ nets, hosts, cpuRows }: Pick<Layout, 'nets' | 'hosts' | 'cpuRows'>): number {
  return cpuRows * (1 + nets.length - hosts.length)
}

/** Row of a CPU in tables per CPU and namespace: the CPU itself where each host has one namespace. */
export function bindNetRow(context: BindContext): (cpu: number) => number {
  const { plan, nets, cpuRows } = context.resource(PLAN_CONSTANTS)
  const hosts = plan.hosts.length
  if (nets === undefined || nets.length === hosts) return (cpu) => cpu
  const first = Int32Array.from(nets, (_, at) => netRow(at, hosts, cpuRows))
  const { net } = context.read(Cpu)
  return (cpu) => first[net[cpu]] + cpu
}
