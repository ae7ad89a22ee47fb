/** What a recording of packets in and out says about the host: devices, routes, settings, sockets. */
import {
  type BpfProgram,
  bpfFault,
  CONF_NAMES,
  DEFAULT_IPV4,
  DEFAULT_NEIGH,
  type DevicePlan,
  defaultSysctl,
  type HostPlan,
  type InterfaceConf,
  type Ipv4Plan,
  KERNEL_VERSIONS,
  type NeighbourPlan,
  type NeighPlan,
  type NftRuleset,
  type Plan,
  PMTUDISC_NAMES,
  parseEndpoint,
  parseIpv4,
  parseMac,
  parseNft,
  parsePrefix,
  parseRoute,
  parseRule,
  ROUTE_WORDS,
  type RoutePlan,
  type RulePlan,
  type SocketPlan,
} from '@softnet/scenario'
import type { Fields } from './fields.js'
import { compileMachine } from './machine.js'

const MTU_DEFAULT = 1500
const MACHINE_HZ = 250
const DEFAULT_SYSCTL = defaultSysctl(KERNEL_VERSIONS['6.18'], MACHINE_HZ)
const PORT_MAX = 65_535
/** Bytes for the packets of the longest case. */
const PAGES = 512

/** The host of a case. */
export interface IpSetup {
  /** What it asks for that is not modelled, or null. */
  readonly missing: string | null
  plan(path: string): Plan
  /** Position of a program among those of a socket. */
  filterIndex(socket: string, program: string): number
  /** True if packets of the device carry four bytes of packet information. */
  hasPacketInfo(dev: string): boolean
  isTap(dev: string): boolean
  /** Whether opening the sockets makes the host send: reports of groups. */
  readonly joinsGroups: boolean
  /** Names of the sockets, by position. */
  readonly socketNames: readonly string[]
}

interface Device {
  readonly name: string
  readonly kind: 'tun' | 'tap'
  readonly addresses: readonly string[]
  readonly mac: string | null
  readonly mtu: number
  readonly packetInfo: boolean
}

interface Socket {
  readonly name: string
  readonly bind: string
  readonly connect: string | null
  readonly options: Options
  /** Programs that SO_ATTACH_FILTER will give it. */
  readonly filters: readonly BpfProgram[]
}

/** Options of a socket. */
interface Options {
  rcvbuf: number | null
  reuseport: boolean
  /** Groups it joins, by the address of the device. */
  readonly groups: { readonly group: number; readonly local: number }[]
  /** Those that the plan of a socket holds as they are. */
  rest: Pick<SocketPlan, 'broadcast' | 'send'> & { readonly device?: string }
}

function readDevice(fields: Fields): Device {
  const kind = fields.has('kind') ? fields.text('kind') : 'tun'
  if (kind !== 'tun' && kind !== 'tap') fields.refuse('kind', 'tun or tap')
  return {
    name: fields.text('name'),
    kind: kind === 'tap' ? 'tap' : 'tun',
    addresses: fields.has('addrs') ? fields.texts('addrs') : [],
    mac: fields.has('mac') ? fields.text('mac') : null,
    mtu: fields.has('mtu') ? fields.integer('mtu', 68, PORT_MAX) : MTU_DEFAULT,
    packetInfo: fields.flag('pi'),
  }
}

/** Address and port of a list of two; null if there is none. */
function endpoint(fields: Fields, key: string): string | null {
  if (!fields.has(key)) return null
  const [address, port] = fields.list(key)
  const text = `${String(address)}:${String(port)}`
  if (port !== 0 && parseEndpoint(text) === null) fields.refuse(key, 'a list of address and port')
  return text
}

/** `struct ip_mreq`: group and address of the interface. */
const MEMBERSHIP = /^[0-9a-f]{16}$/
const HEX = /^(?:[0-9a-f]{2})+$/

/** Takes an option over; false if it is not modelled. */
function readOption(options: Options, name: string, value: unknown): boolean {
  const { rest } = options
  if (name === 'IP_ADD_MEMBERSHIP' || name === 'SO_BINDTODEVICE') {
    const text = String(value)
    if (name === 'SO_BINDTODEVICE') {
      const device = HEX.test(text) ? Buffer.from(text, 'hex').toString('latin1') : text
      options.rest = { ...rest, device: device.replace(/\0+$/, '') }
      return true
    }
    if (!MEMBERSHIP.test(text)) return false
    const [group, local] = [0, 8].map((at) => Number.parseInt(text.slice(at, at + 8), 16))
    options.groups.push({ group: group as number, local: local as number })
    return true
  }
  if (typeof value !== 'number') return false
  const send = (more: NonNullable<SocketPlan['send']>): void => {
    options.rest = { ...rest, send: { ...rest.send, ...more } }
  }
  if (name === 'SO_REUSEADDR') return true
  if (name === 'SO_RCVBUF') options.rcvbuf = value
  else if (name === 'SO_REUSEPORT') options.reuseport = value !== 0
  else if (name === 'SO_BROADCAST') options.rest = { ...rest, broadcast: value !== 0 }
  else if (name === 'SO_NO_CHECK') send({ noCheck: value !== 0 })
  else if (name === 'IP_TTL') send({ ttl: value })
  else if (name === 'IP_TOS') send({ tos: value })
  else if (name === 'IP_MTU_DISCOVER' && PMTUDISC_NAMES[value] !== undefined) send({ pmtudisc: PMTUDISC_NAMES[value] })
  else return false
  return true
}

/** Program as recordings write it: `[(6, 0, 0, 10), …]`; null if it is none. */
export function parseFilter(text: string): BpfProgram | null {
  const program = [...text.matchAll(/\((\d+), (\d+), (\d+), (\d+)\)/g)].map(([, ...each]) => each.map(Number))
  return bpfFault(program as unknown as BpfProgram) === null ? (program as unknown as BpfProgram) : null
}

class SocketReader {
  missing: string | null = null
  readonly #filters: readonly (readonly [string, string])[]

  constructor(filters: readonly (readonly [string, string])[]) {
    this.#filters = filters
  }

  read(fields: Fields): Socket {
    const type = fields.text('type')
    if (type !== 'udp') this.missing = `${type} sockets`
    const options: Options = { rcvbuf: null, reuseport: false, groups: [], rest: {} }
    for (const option of fields.has('opts') ? fields.list('opts') : []) {
      const [, name, value] = Array.isArray(option) ? (option as unknown[]) : []
      if (!readOption(options, String(name), value)) this.missing ??= `socket option ${String(name)}`
    }
    const bind = endpoint(fields, 'bind')
    if (bind === null || bind.endsWith(':0')) this.missing ??= 'ports that the kernel chooses'
    return {
      name: fields.text('name'),
      bind: bind ?? '0.0.0.0:1',
      connect: endpoint(fields, 'connect'),
      options,
      filters: this.#filters
        .filter(([name]) => name === fields.text('name'))
        .map(([, program]) => parseFilter(program) ?? []),
    }
  }
}

/** Settings that were read, host-wide and per device. */
interface Settings {
  readonly ipv4: Record<string, number>
  /** Settings that `HostPlan.sysctl` holds under their full names. */
  readonly sysctl: Record<string, number>
  readonly confAll: Record<string, number>
  readonly conf: Map<string, Record<string, number>>
  readonly neigh: Map<string, Record<string, number>>
  missing: string | null
}

function readSysctls(fields: Fields, devices: readonly Device[]): Settings {
  const settings: Settings = {
    ipv4: {},
    sysctl: {},
    confAll: {},
    conf: new Map(devices.map((device) => [device.name, {}])),
    neigh: new Map(),
    missing: null,
  }
  if (!fields.has('sysctls')) return settings
  const forwardAll = (value: number) => {
    settings.confAll.forwarding = value
    settings.confAll.accept_redirects = value === 0 ? 1 : 0
    for (const conf of settings.conf.values()) conf.forwarding = value
  }
  for (const [key, value] of fields.numbers('sysctls')) {
    const parts = key.replace(/^net\.ipv4\./, '').split('.')
    const [group, dev, name] = parts
    if (parts.length === 1 && group === 'ip_forward') forwardAll(value)
    else if (parts.length === 1 && group !== undefined && group in DEFAULT_IPV4) settings.ipv4[group] = value
    else if (group !== 'conf' && key in DEFAULT_SYSCTL) settings.sysctl[key] = value
    else if (group === 'conf' && name !== undefined && CONF_NAMES.includes(name as keyof InterfaceConf)) {
      if (dev === 'all' && name === 'forwarding') forwardAll(value)
      else if (dev === 'all') settings.confAll[name] = value
      else if (dev !== undefined && settings.conf.has(dev))
        (settings.conf.get(dev) as Record<string, number>)[name] = value
    } else if (group === 'neigh' && dev !== undefined && name !== undefined && name in DEFAULT_NEIGH) {
      const given = settings.neigh.get(dev) ?? {}
      settings.neigh.set(dev, { ...given, [name]: value })
    } else settings.missing ??= `sysctl ${key}`
  }
  return settings
}

/** Routes, and the first one that is not modelled. */
function readRoutes(fields: Fields): { readonly routes: readonly RoutePlan[]; readonly unknown: string | null } {
  const texts = fields.has('routes') ? fields.texts('routes') : []
  const unknown = texts.find((text) => parseRoute(text) === null)
  return {
    routes: texts.flatMap((text) => parseRoute(text) ?? []),
    unknown: unknown === undefined ? null : `route '${unknown}' (accepted: ${ROUTE_WORDS})`,
  }
}

const XDP = /^ip link set dev (\S+) xdpgeneric pinned xdp_(aborted|drop|pass|tx)$/
const NEIGH_ADD = /^ip neigh (?:add|replace) (\S+) lladdr (\S+) dev (\S+)(?: nud permanent)?$/

/** Answer of a program to every packet. */
type XdpVerdict = 'aborted' | 'drop' | 'pass' | 'tx'

const RULE_ADD = /^ip rule add (.+)$/
const ROUTE_ADD = /^ip route add (.+)$/

interface Commands {
  readonly rules: readonly RulePlan[]
  /** Routes that were added later than those of the recording. */
  readonly routes: readonly RoutePlan[]
  readonly neighbours: readonly NeighbourPlan[]
  /** Answer of the generic XDP program of a device. */
  readonly xdp: ReadonlyMap<string, XdpVerdict>
  readonly unknown: string | null
}

/** Commands that were run before the start: what they say of neighbours, and the first one that is not modelled. */
function readCommands(fields: Fields): Commands {
  const neighbours: NeighbourPlan[] = []
  const rules: RulePlan[] = []
  const routes: RoutePlan[] = []
  const xdp = new Map<string, XdpVerdict>()
  let unknown: string | null = null
  for (const text of fields.has('commands') ? fields.texts('commands') : []) {
    const [, address = '', mac = '', dev = ''] = NEIGH_ADD.exec(text) ?? []
    const program = XDP.exec(text)
    if (program !== null) {
      xdp.set(program[1] as string, program[2] as XdpVerdict)
      continue
    }
    const rule = parseRule(RULE_ADD.exec(text)?.[1] ?? '?')
    const route = parseRoute(ROUTE_ADD.exec(text)?.[1] ?? '?')
    if (rule !== null) rules.push(rule)
    if (route !== null) routes.push(route)
    if (rule !== null || route !== null) continue
    const ip = parseIpv4(address)
    if (ip === null || parseMac(mac) === null) unknown ??= `'${text}'`
    else neighbours.push({ address: ip, mac, dev })
  }
  return { neighbours, rules, routes, xdp, unknown }
}

/** Rules of nft, null without any, and what is not modelled of them. */
function readRules(fields: Fields): { readonly ruleset: NftRuleset | null; readonly unknown: string | null } {
  if (!fields.has('nft') || fields.text('nft') === '') return { ruleset: null, unknown: null }
  const { ruleset, faults } = parseNft(fields.text('nft'))
  const [first] = faults
  if (first === undefined) return { ruleset, unknown: null }
  return { ruleset: null, unknown: `nft, line ${first.line}, column ${first.column} (accepted: ${first.accepted})` }
}

/** What the program of a case does with its sockets. */
interface Calls {
  readonly corks: boolean
  readonly segments: boolean
}

/** Reads `setup` of a case. */
export function readSetup(fields: Fields, filters: readonly (readonly [string, string])[], calls: Calls): IpSetup {
  const devices = fields.list('devices').map((_, i) => readDevice(fields.entry('devices', i)))
  const reader = new SocketReader(filters)
  const sockets = fields.has('sockets')
    ? fields.list('sockets').map((_, i) => reader.read(fields.entry('sockets', i)))
    : []
  const settings = readSysctls(fields, devices)
  const { routes, unknown: route } = readRoutes(fields)
  const commands = readCommands(fields)
  const byName = (name: string) => devices.find((device) => device.name === name)
  const { ruleset, unknown: rule } = readRules(fields)
  return {
    missing: reader.missing ?? settings.missing ?? commands.unknown ?? route ?? rule,
    plan: (path) => planOf(path, devices, sockets, settings, routes, commands, ruleset, calls),
    filterIndex: (name, program) => filters.filter(([each]) => each === name).findIndex(([, text]) => text === program),
    hasPacketInfo: (dev) => byName(dev)?.packetInfo === true,
    isTap: (dev) => byName(dev)?.kind === 'tap',
    joinsGroups: sockets.some(({ options }) => options.groups.length > 0),
    socketNames: sockets.map((socket) => socket.name),
  }
}

/** Groups with the devices whose address they name. */
function joined(groups: Options['groups'], devices: readonly Device[]): Pick<SocketPlan, 'groups'> {
  const named = groups.flatMap(({ group, local }) => {
    const device = devices.find(({ addresses }) => addresses.some((text) => parsePrefix(text)?.address === local))
    return device === undefined ? [] : [{ group, device: device.name }]
  })
  return named.length === 0 ? {} : { groups: named }
}

function planOf(
  path: string,
  devices: readonly Device[],
  sockets: readonly Socket[],
  settings: Settings,
  routes: readonly RoutePlan[],
  { neighbours, rules, routes: more, xdp }: Commands,
  nftables: NftRuleset | null,
  calls: Calls,
): Plan {
  const plan = compileMachine(
    {
      devices: Object.fromEntries(
        devices.map(({ name, addresses, mac, mtu }) => [
          name,
          {
            driver: 'veth',
            mtu,
            ...(addresses.length > 0 ? { address: [...addresses] } : {}),
            ...(mac === null ? {} : { mac }),
            ...(xdp.has(name)
              ? { xdp: { mode: 'generic' as const, rules: [{ verdict: xdp.get(name) as XdpVerdict }] } }
              : {}),
          },
        ]),
      ),
      ...(sockets.length === 0
        ? {}
        : {
            apps: {
              program: {
                sockets: sockets.map(({ bind, connect, options: { rcvbuf, reuseport } }) => ({
                  count: 1,
                  bind,
                  reuseport,
                  reuseaddr: true,
                  ...(connect === null ? {} : { connect }),
                  ...(rcvbuf === null ? {} : { SO_RCVBUF: rcvbuf }),
                })),
              },
            },
          }),
    },
    path,
  )
  const host = plan.hosts[0] as HostPlan
  const programmed: HostPlan = {
    ...host,
    apps: host.apps.map((app) => ({
      ...app,
      sockets: app.sockets.map((socket, i) => ({
        ...socket,
        ...sockets[i]?.options.rest,
        ...(calls.corks || calls.segments ? { send: { ...sockets[i]?.options.rest.send, ...calls } } : {}),
        ...joined(sockets[i]?.options.groups ?? [], devices),
        ...(sockets[i]?.filters.length === 0 ? {} : { filters: sockets[i]?.filters ?? [] }),
      })),
    })),
    routes: [...routes, ...more],
    ...(rules.length === 0 ? {} : { rules }),
    neighbours,
    ...(nftables === null ? {} : { nftables }),
    sysctl: { ...host.sysctl, ...settings.sysctl },
    ipv4: { ...host.ipv4, ...settings.ipv4 } as Ipv4Plan,
    confAll: { ...host.confAll, ...settings.confAll } as InterfaceConf,
    devices: host.devices.map((device) => {
      const given = devices.find((each) => each.name === device.name)
      return given === undefined ? device : programDevice(device, given, settings)
    }),
  }
  return { ...plan, hosts: [programmed], limits: { ...plan.limits, 'packet-pages-per-cpu': PAGES } }
}

/** A device that a program reads and writes. */
function programDevice(device: DevicePlan, given: Device, settings: Settings): DevicePlan {
  return {
    ...device,
    driver: { ...device.driver, program: given.kind },
    conf: { ...device.conf, accept_source_route: 1, ...settings.conf.get(given.name) } as InterfaceConf,
    neigh: { ...device.neigh, ...settings.neigh.get(given.name) } as NeighPlan,
  }
}
