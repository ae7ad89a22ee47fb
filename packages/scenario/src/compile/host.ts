/** Hosts: CPUs and their topology, sysctls, idle states, taps, and what hangs on them. */
import type { FaultPath, Report } from '../fault.js'
import { interfacesOf } from '../interfaces.js'
import type { NetnsPlan } from '../netns-plan.js'
import type { CpuPlan, CStatePlan, DevicePlan, HostPlan, SysctlPlan } from '../plan.js'
import { costProfile } from '../profiles/index.js'
import type { HostInput, NetnsInput } from '../schema/scenario.js'
import type { SysctlInput } from '../schema/sysctl.js'
import type { VersionPolicy } from '../versions.js'
import { compileApps } from './app.js'
import { checkCpus } from './cpus.js'
import { defaultSysctl } from './default-sysctl.js'
import { compileDevices } from './device.js'
import { compileIpv4, compileNeighbours, compileRoutes, compileRules, confOfAll } from './ip.js'
import { devicesIn, type NetScope, netnsPlans, netScopes } from './netns.js'
import { compileNftables } from './nftables.js'

/** What every part of a scenario is compiled against. */
export interface Environment {
  readonly report: Report
  readonly version: VersionPolicy
  readonly profile: string
  readonly limits: Readonly<Record<string, number>>
  /** Reads a text by the path the scenario gives. */
  readonly readText?: ((path: string) => string | { readonly error: string }) | undefined
}

/** HZ of a host that names none: what most distributions build with. */
export const DEFAULT_HZ = 250

/** sk_buffs of a host that names no limit: one per 4 KiB page of 16 GiB. */
export const DEFAULT_SKB_LIMIT = 4_194_304

/** The share of them kept for PF_MEMALLOC: min_free_kbytes of 16 GiB is 16 MiB. */
export const DEFAULT_PFMEMALLOC_RESERVE = 4096

/** Compiles one host; `index` is its position among the hosts. */
export function compileHost(name: string, input: HostInput, index: number, env: Environment): HostPlan {
  const path: FaultPath = ['hosts', name]
  const { report, version } = env
  const cpus = compileCpus(input, [...path, 'cpus'], env)
  const hz = input.hz ?? DEFAULT_HZ
  const sysctl = compileSysctl(input.sysctl ?? {}, hz, cpus.length, [...path, 'sysctl'], env)
  const scopes = netScopes(input, sysctl, path, hz, env)
  const devices = compileDevices(name, scopes, index, cpus, env)
  const apps = compileApps(name, input, scopes, devices, cpus.length, env)
  const skbLimit = input['skb-limit'] ?? DEFAULT_SKB_LIMIT
  const pfmemallocReserve =
    input['pfmemalloc-reserve'] ?? Math.min(DEFAULT_PFMEMALLOC_RESERVE, Math.floor(skbLimit / 2))
  if (pfmemallocReserve >= skbLimit) {
    report.fault([...path, 'pfmemalloc-reserve'], `fewer than skb-limit, which is ${skbLimit}`)
  }
  const smallHeadBytes = input['small-head'] ?? version.smallHeadBytes
  if (smallHeadBytes > 0 && version.smallHeadBytes === 0) {
    report.fault([...path, 'small-head'], `0: Linux ${version.version} has no small-head cache`)
  }
  return {
    name,
    cpus,
    hz,
    sysctl,
    devices,
    apps,
    cstates: compileCstates(input, [...path, 'cstates'], env),
    smallHeadBytes,
    skbLimit,
    pfmemallocReserve,
    ...compileNet(scopes[0] as NetScope, devices, env, input.sysctl),
    ...netnsPlans(scopes, (scope) => compileNet(scope, devices, env, input.sysctl)),
  }
}

const REDIRECTS = 'net.ipv4.conf.all.accept_redirects'

/** What each namespace has for itself besides its devices. */
function compileNet(
  { name, input, path, sysctl, forwarding }: NetScope,
  hostDevices: readonly DevicePlan[],
  env: Environment,
  hostSysctl: HostInput['sysctl'],
): Omit<NetnsPlan, 'name' | 'sysctl'> {
  const { report } = env
  const devices = devicesIn(hostDevices, name)
  return {
    taps: compileTaps(
      input,
      interfacesOf(devices).map((each) => each.name),
      path,
      report,
    ),
    rawProtocols: compileRawProtocols(input, path, report),
    nftables: compileNftables(input, devices, path, env),
    ipv4: compileIpv4(input.sysctl ?? {}),
    confAll: confOfAll(sysctl, input.sysctl?.[REDIRECTS] ?? hostSysctl?.[REDIRECTS], forwarding),
    routes: compileRoutes(input, devices, path, report),
    ...compileRules(input, devices, path, report),
    neighbours: compileNeighbours(input, devices, path, report),
  }
}

function compileCpus(input: HostInput, path: FaultPath, env: Environment): readonly CpuPlan[] {
  const { report } = env
  const given = typeof input.cpus === 'object' ? input.cpus : { count: input.cpus }
  const wantedThreads = given['threads-per-core'] ?? 1
  const wantedNodes = given['numa-nodes'] ?? 1
  const wantedLlcs = given['llc-per-node'] ?? 1
  const count = given.count ?? Math.max(4, wantedThreads * wantedNodes * wantedLlcs)
  const maxCount = env.limits['cpus-per-host'] as number
  if (count > maxCount) {
    const where = typeof input.cpus === 'object' ? [...path, 'count'] : path
    report.fault(where, `at most ${maxCount} CPUs, limits.cpus-per-host`)
  }
  let threads = wantedThreads
  if (count % threads !== 0) {
    report.fault([...path, 'threads-per-core'], `a divisor of the ${count} CPUs`)
    threads = 1
  }
  const cores = count / threads
  let nodes = wantedNodes
  if (cores % nodes !== 0) {
    report.fault([...path, 'numa-nodes'], `a divisor of the ${cores} cores`)
    nodes = 1
  }
  let llcs = wantedLlcs
  if ((cores / nodes) % llcs !== 0) {
    report.fault([...path, 'llc-per-node'], `a divisor of the ${cores / nodes} cores of a node`)
    llcs = 1
  }
  const frequencyHz = given.frequency ?? costProfile(env.profile).frequencyHz
  const coresPerLlc = cores / (nodes * llcs)
  const coresPerNode = cores / nodes
  return Array.from({ length: Math.min(count, maxCount) }, (_, cpu) => {
    const coreId = cpu % cores
    return {
      frequencyHz,
      coreId,
      llcId: Math.floor(coreId / coresPerLlc),
      nodeId: Math.floor(coreId / coresPerNode),
    }
  })
}

function powerOfTwoAtLeast(value: number): number {
  let power = 1
  while (power < value) power *= 2
  return power
}

function compileSysctl(
  given: SysctlInput,
  hz: number,
  cpuCount: number,
  path: FaultPath,
  env: Environment,
): SysctlPlan {
  const { report, version } = env
  const defaults = defaultSysctl(version, hz)
  const merged = { ...defaults }
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) (merged as Record<string, unknown>)[key] = value
  }
  const minUsecs = defaults['net.core.netdev_budget_usecs']
  const usecs = merged['net.core.netdev_budget_usecs']
  if (version.version === '6.18' && usecs < minUsecs) {
    report.fault([...path, 'net.core.netdev_budget_usecs'], `at least ${minUsecs}, two jiffies at HZ ${hz}`)
  }
  if (merged['net.ipv4.ipfrag_low_thresh'] > merged['net.ipv4.ipfrag_high_thresh']) {
    const name = given['net.ipv4.ipfrag_high_thresh'] === undefined ? 'low' : 'high'
    const accepted = name === 'low' ? 'at most net.ipv4.ipfrag_high_thresh' : 'at least net.ipv4.ipfrag_low_thresh'
    report.fault([...path, `net.ipv4.ipfrag_${name}_thresh`], accepted)
  }
  const tableLength = merged['net.core.flow_limit_table_len']
  if (powerOfTwoAtLeast(tableLength) !== tableLength) {
    report.fault([...path, 'net.core.flow_limit_table_len'], 'a power of two')
  }
  const bitmapPath = [...path, 'net.core.flow_limit_cpu_bitmap']
  checkCpus(merged['net.core.flow_limit_cpu_bitmap'], cpuCount, bitmapPath, report, { emptyAllowed: true })
  const entries = merged['net.core.rps_sock_flow_entries']
  if (version.groNormalBatch === 1 && given['net.core.gro_normal_batch'] !== undefined) {
    report.warn([...path, 'net.core.gro_normal_batch'], `Linux ${version.version} has no such sysctl; 1 is used`)
    merged['net.core.gro_normal_batch'] = 1
  }
  if (version.skbDeferMax === 0 && given['net.core.skb_defer_max'] !== undefined) {
    report.warn(
      [...path, 'net.core.skb_defer_max'],
      `Linux ${version.version} has no such sysctl; buffers are freed at once`,
    )
    merged['net.core.skb_defer_max'] = 0
  }
  return { ...merged, 'net.core.rps_sock_flow_entries': entries === 0 ? 0 : powerOfTwoAtLeast(entries) }
}

function compileCstates(input: HostInput, path: FaultPath, env: Environment): readonly CStatePlan[] {
  const given = input.cstates ?? 'default'
  if (given === 'none') return []
  if (given === 'default') {
    return costProfile(env.profile).cstates.map((state) => ({
      name: state.name,
      exitLatencyPs: state.exitLatencyNs * 1000,
      targetResidencyPs: state.targetResidencyNs * 1000,
    }))
  }
  for (let index = 1; index < given.length; index++) {
    const residency = given[index]?.['target-residency'] as number
    if (residency < (given[index - 1]?.['target-residency'] as number)) {
      env.report.fault([...path, index, 'target-residency'], 'at least that of the state before: shallowest first')
    }
  }
  return given.map((state) => ({
    name: state.name,
    exitLatencyPs: state['exit-latency'],
    targetResidencyPs: state['target-residency'],
  }))
}

function compileTaps(
  input: NetnsInput,
  deviceNames: readonly string[],
  path: FaultPath,
  report: Report,
): HostPlan['taps'] {
  return (input.taps ?? []).map((tap, index) => {
    const given = typeof tap === 'string' ? { dev: tap } : tap
    const here = [...path, 'taps', index, ...(typeof tap === 'string' ? [] : ['dev'])]
    const dev = given.dev === undefined || given.dev === 'any' ? null : given.dev
    if (dev !== null && !deviceNames.includes(dev)) {
      report.fault(here, `any, or a device of the host: ${deviceNames.join(', ')}`, deviceNames)
    }
    return { dev, name: (typeof tap === 'string' ? undefined : tap.name) ?? `tap${index}` }
  })
}

function compileRawProtocols(input: NetnsInput, path: FaultPath, report: Report): readonly number[] {
  const given = input['raw-protocols'] ?? []
  given.forEach((protocol, index) => {
    if (given.indexOf(protocol) !== index) {
      report.fault([...path, 'raw-protocols', index], 'each protocol once')
    }
  })
  return given
}
