/** The IP side of a host: settings, routes and neighbours. */
import { formatIpv4, parsePrefix } from '../address.js'
import type { FaultPath, Report } from '../fault.js'
import { type Interface, interfacesOf } from '../interfaces.js'
import type { InterfaceConf, Ipv4Plan, NeighbourPlan, NexthopPlan, RoutePlan, RulePlan } from '../ip-plan.js'
import { CONF_NAMES, DEFAULT_CONF, DEFAULT_IPV4 } from '../ipv4-settings.js'
import type { DevicePlan, SysctlPlan } from '../plan.js'
import type { ConfInput } from '../schema/conf.js'
import type { NetnsInput } from '../schema/scenario.js'
import type { SysctlInput } from '../schema/sysctl.js'

const CONF_ALL = 'net.ipv4.conf.all.'

/** Settings under `net.ipv4` of a host. */
export function compileIpv4(given: Partial<SysctlInput>): Ipv4Plan {
  const settings: Record<string, number> = { ...DEFAULT_IPV4 }
  for (const name of Object.keys(DEFAULT_IPV4)) {
    const value = (given as Record<string, unknown>)[`net.ipv4.${name}`]
    if (typeof value === 'number') settings[name] = value
  }
  return settings as unknown as Ipv4Plan
}

/** `net.ipv4.conf.all` of a host; who forwards follows no redirects unless told. Kernel: net/ipv4/devinet.c, inet_forward_change */
export function confOfAll(sysctl: SysctlPlan, acceptRedirects: number | undefined, forwarding: boolean): InterfaceConf {
  const values = CONF_NAMES.map((name) => [name, (sysctl as unknown as Record<string, number>)[`${CONF_ALL}${name}`]])
  const known = Object.fromEntries(values.filter(([, value]) => value !== undefined))
  const redirects = acceptRedirects ?? (forwarding ? 0 : 1)
  return { ...DEFAULT_CONF, ...known, forwarding: forwarding ? 1 : 0, accept_redirects: redirects }
}

/** `net.ipv4.conf.DEV`. */
export function compileConf(input: { readonly conf?: ConfInput | undefined }, forwarding: boolean): InterfaceConf {
  const given = Object.entries(input.conf ?? {}).filter(([, value]) => value !== undefined)
  return {
    ...DEFAULT_CONF,
    accept_source_route: 1,
    forwarding: forwarding ? 1 : 0,
    ...Object.fromEntries(given),
  }
}

/** Routes of a host that names none: everything that is not on a subnet is on the link of the first device with an address. */
function defaultRoutes(devices: readonly DevicePlan[]): readonly RoutePlan[] {
  const first = interfacesOf(devices).find(({ addresses }) => addresses.length > 0)
  if (first === undefined) return []
  const rest = { prefix: 0, lengthBits: 0, gateway: 0, source: 0, metric: 0, mtu: 0, tos: 0 }
  return [{ type: 'unicast', dev: first.name, ...rest }]
}

function holds({ addresses }: Interface, address: number): boolean {
  return addresses.some((text) => {
    const parsed = parsePrefix(text)
    if (parsed === null || parsed.length === 32) return false
    const size = 2 ** (32 - parsed.length)
    return Math.floor(parsed.address / size) === Math.floor(address / size)
  })
}

/** Routes of a host; each needs a device, or a gateway on a subnet of one. Kernel: net/ipv4/fib_semantics.c, fib_check_nh */
export function compileRoutes(
  input: NetnsInput,
  devices: readonly DevicePlan[],
  hostPath: FaultPath,
  report: Report,
): readonly RoutePlan[] {
  if (input.routes === undefined) return defaultRoutes(devices)
  const interfaces = interfacesOf(devices)
  input.routes.forEach((route, index) => {
    for (const hop of route.nexthops ?? [route]) checkHop(hop, interfaces, [...hostPath, 'routes', index], report)
  })
  return input.routes
}

/** A next hop needs a device that is there, and a gateway somebody of the host's is on the link of. */
function checkHop(
  hop: Omit<NexthopPlan, 'weight'>,
  interfaces: readonly Interface[],
  path: FaultPath,
  report: Report,
): void {
  const { dev, gateway } = hop
  const names = interfaces.map(({ name }) => name)
  if (dev !== null && dev !== 'lo' && !names.includes(dev)) {
    report.fault(path, `a device of the host behind dev: lo, ${names.join(', ')}`, names)
  }
  if (hop.onlink === true) {
    if (dev === null || gateway === 0) report.fault(path, 'via ADDRESS and dev DEVICE with onlink')
    return
  }
  const via = interfaces.filter(({ name }) => dev === null || name === dev)
  if (gateway !== 0 && !via.some((device) => holds(device, gateway))) {
    const where = dev === null ? 'a device of the host' : dev
    report.fault(path, `a gateway on a subnet of ${where}; ${formatIpv4(gateway)} is on none`)
  }
}

/** Policy rules of a host. Kernel: net/core/fib_rules.c, fib_nl2rule */
export function compileRules(
  input: NetnsInput,
  devices: readonly DevicePlan[],
  hostPath: FaultPath,
  report: Report,
): { readonly rules?: readonly RulePlan[] } {
  const { rules = [] } = input
  const names = ['lo', ...interfacesOf(devices).map(({ name }) => name)]
  rules.forEach((rule, index) => {
    const path = [...hostPath, 'rules', index]
    for (const [key, dev] of [
      ['iif', rule.iif],
      ['oif', rule.oif],
    ] as const) {
      if (dev !== undefined && !names.includes(dev))
        report.fault(path, `a device of the host behind ${key}: ${names.join(', ')}`, names)
    }
    if (rule.action !== 'goto') return
    if (rule.priority === undefined) report.fault(path, 'a priority with goto')
    else if ((rule.target as number) <= rule.priority) report.fault(path, 'goto to a higher priority than its own')
  })
  return rules.length === 0 ? {} : { rules }
}

/** Permanent neighbours of a host. */
export function compileNeighbours(
  input: NetnsInput,
  devices: readonly DevicePlan[],
  hostPath: FaultPath,
  report: Report,
): readonly NeighbourPlan[] {
  const names = interfacesOf(devices).map(({ name }) => name)
  const seen = new Set<string>()
  for (const [index, { dev, address }] of (input.neighbours ?? []).entries()) {
    const path = [...hostPath, 'neighbours', index]
    if (!names.includes(dev)) report.fault(path, `a device of the host behind dev: ${names.join(', ')}`, names)
    if (seen.has(`${dev} ${address}`)) report.fault(path, 'each address of a device once')
    seen.add(`${dev} ${address}`)
  }
  return input.neighbours ?? []
}
