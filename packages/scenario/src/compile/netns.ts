/** Network namespaces: what a host has several of. */
import type { FaultPath, Report } from '../fault.js'
import { nearestName } from '../nearest.js'
import type { NetnsPlan } from '../netns-plan.js'
import type { DevicePlan, SysctlPlan } from '../plan.js'
import type { HostInput, NetnsInput } from '../schema/scenario.js'
import { isPerNamespace } from '../schema/sysctl.js'
import type { VersionPolicy } from '../versions.js'
import { defaultSysctl } from './default-sysctl.js'

/** Name of the namespace a host starts in, where one has to be written. */
export const INIT_NET = 'init'

/** A namespace as it is written: the one the host starts in, whose name is null, or another. */
export interface NetScope {
  readonly name: string | null
  readonly input: NetnsInput
  readonly path: FaultPath
  readonly sysctl: SysctlPlan
  /** `net.ipv4.ip_forward` is on. */
  readonly forwarding: boolean
}

const IP_FORWARD = 'net.ipv4.ip_forward'

/** Settings under `net.ipv4.conf` and forwarding are those of the first namespace at first. Kernel: net/ipv4/devinet.c, devinet_init_net */
function isInherited(name: string): boolean {
  return name.startsWith('net.ipv4.conf.')
}

function netnsSysctl(given: object, host: SysctlPlan, version: VersionPolicy, hz: number): SysctlPlan {
  const merged: Record<string, unknown> = { ...host }
  for (const [name, value] of Object.entries(defaultSysctl(version, hz)))
    if (isPerNamespace(name) && !isInherited(name)) merged[name] = value
  for (const [name, value] of Object.entries(given)) if (value !== undefined && name in merged) merged[name] = value
  return merged as unknown as SysctlPlan
}

/** All namespaces of a host, the one it starts in first. */
export function netScopes(
  input: HostInput,
  sysctl: SysctlPlan,
  path: FaultPath,
  hz: number,
  { report, version }: { readonly report: Report; readonly version: VersionPolicy },
): NetScope[] {
  const forwarding = input.sysctl?.[IP_FORWARD] === 1
  const scopes: NetScope[] = [{ name: null, input, path, sysctl, forwarding }]
  for (const [name, netns] of Object.entries(input.netns ?? {}) as [string, NetnsInput][]) {
    const here = [...path, 'netns', name]
    if (name === INIT_NET) report.fault(here, 'a name other than that of the namespace the host starts in')
    const given = netns.sysctl ?? {}
    const own = netnsSysctl(given, sysctl, version, hz)
    if (own['net.ipv4.ipfrag_low_thresh'] > own['net.ipv4.ipfrag_high_thresh'])
      report.fault([...here, 'sysctl', 'net.ipv4.ipfrag_low_thresh'], 'at most net.ipv4.ipfrag_high_thresh')
    const forward = given[IP_FORWARD]
    scopes.push({
      name,
      input: netns,
      path: here,
      sysctl: own,
      forwarding: forward === undefined ? forwarding : forward === 1,
    })
  }
  return scopes
}

/** Devices of a namespace under the names they have there. */
export function devicesIn(devices: readonly DevicePlan[], netns: string | null): DevicePlan[] {
  return devices
    .filter((device) => (device.netns ?? null) === netns)
    .map((device) => (device.ifname === undefined ? device : { ...device, name: device.ifname }))
}

/** The namespaces besides the first, for the plan; left out where there are none. */
export function netnsPlans(
  scopes: readonly NetScope[],
  compile: (scope: NetScope) => Omit<NetnsPlan, 'name' | 'sysctl'>,
): { readonly netns?: readonly NetnsPlan[] } {
  const others = scopes.filter(({ name }) => name !== null)
  if (others.length === 0) return {}
  return { netns: others.map((scope) => ({ name: scope.name as string, sysctl: scope.sysctl, ...compile(scope) })) }
}

/** Where a device is written. */
export function devicePath(host: string, device: DevicePlan): FaultPath {
  const inside = device.netns === undefined ? [] : ['netns', device.netns]
  return ['hosts', host, ...inside, 'devices', device.ifname ?? device.name]
}

/** Name on the host of the device that `peer` of another one names. */
function peerName(given: string, device: DevicePlan): string {
  const [first, second] = given.split('/')
  if (second === undefined) return device.netns === undefined ? given : `${device.netns}/${given}`
  return first === INIT_NET ? second : given
}

/**
 * Joins the ends of veth pairs: each end has one peer, and it is enough that one of them says so. `given` has what is
 * written under `peer`, by the device's name on the host. Kernel: drivers/net/veth.c, veth_newlink
 */
export function joinPeers(
  host: string,
  devices: readonly DevicePlan[],
  given: ReadonlyMap<string, string>,
  report: Report,
): DevicePlan[] {
  const peers = new Map<string, string>()
  const byName = new Map(devices.map((device) => [device.name, device]))
  for (const [name, text] of given) {
    const device = byName.get(name) as DevicePlan
    const path = [...devicePath(host, device), 'peer']
    const peer = byName.get(peerName(text, device))
    const ends = devices.filter((each) => each.driver.name === 'veth' && each !== device).map((each) => each.name)
    if (device.driver.name !== 'veth') report.fault(path, `no peer: ${device.driver.name} is no end of a veth pair`)
    else if (peer === undefined || peer === device || peer.driver.name !== 'veth')
      report.fault(path, `another device with driver veth: ${ends.join(', ') || 'the host has none'}`, ends)
    else if ((peers.get(name) ?? peer.name) !== peer.name || (peers.get(peer.name) ?? name) !== name)
      report.fault(
        path,
        `an end that has no other peer: ${peer.name} and ${peers.get(peer.name) ?? peers.get(name)} are a pair`,
      )
    else {
      peers.set(name, peer.name)
      peers.set(peer.name, name)
    }
  }
  return devices.map((device) => {
    const peer = peers.get(device.name)
    return peer === undefined ? device : { ...device, peer }
  })
}

/** The scope of a name; a name that no namespace has is a fault. */
export function scopeNamed(
  name: string | undefined,
  scopes: readonly NetScope[],
  path: FaultPath,
  report: Report,
): NetScope {
  const [first] = scopes as readonly [NetScope, ...NetScope[]]
  if (name === undefined || name === INIT_NET) return first
  const found = scopes.find((scope) => scope.name === name)
  if (found !== undefined) return found
  const names = scopes.map((scope) => scope.name ?? INIT_NET)
  const nearest = nearestName(name, names)
  report.fault(path, `a network namespace of the host: ${names.join(', ')}`, nearest === null ? names : [nearest])
  return first
}
