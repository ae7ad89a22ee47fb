/** Sockets: addresses, options, which task reads which, and the conflicts that bind() would refuse. */
import { formatIpv4, parsePrefix } from '../address.js'
import { bpfFault } from '../bpf.js'
import { type FaultPath, formatPath, type Report } from '../fault.js'
import { interfacesOf } from '../interfaces.js'
import type { DevicePlan, SocketPlan } from '../plan.js'
import type { SocketGroupInput } from '../schema/app.js'
import type { AppSurroundings } from './app.js'
import { compileSendOptions } from './send.js'

/** Port of sockets and traffic that name none. */
export const DEFAULT_PORT = 9000

/** A group of sockets that were bound alike, for the check against other groups. */
export interface SocketPlace {
  readonly path: FaultPath
  readonly sockets: readonly SocketPlan[]
}

/** Where a group of sockets stands in its program. */
export interface GroupPlace {
  readonly path: FaultPath
  /** Sockets the program already has. */
  readonly firstIndex: number
  readonly taskCount: number
  /** The program sends by itself: it takes any free port. */
  readonly sends: boolean
}

/** Port of a group that names none. */
function defaultPort(count: number, { sends }: GroupPlace, { budget }: AppSurroundings): number {
  if (!sends) return DEFAULT_PORT
  const first = budget.nextPort
  budget.nextPort += count
  return first
}

/** Compiles one group of sockets. */
export function compileSocketGroup(
  input: SocketGroupInput,
  place: GroupPlace,
  around: AppSurroundings,
): readonly SocketPlan[] {
  const { path, firstIndex, taskCount } = place
  const { report } = around.env
  const shared = input.shared ?? false
  const count = input.count ?? (shared ? 1 : taskCount)
  const maxSockets = around.env.limits['sockets-per-host'] as number
  if (count > around.budget.sockets) {
    const where = input.count === undefined ? path : [...path, 'count']
    report.fault(where, `at most ${maxSockets} sockets on a host, limits.sockets-per-host`)
    return []
  }
  around.budget.sockets -= count
  const addresses = input['address-count'] ?? 1
  const ports = Math.min(count, input['port-count'] ?? count)
  const bind = input.bind ?? { address: 0, port: defaultPort(ports, place, around) }
  const step =
    input['port-step'] ??
    (input.reuseport === true || input['port-count'] === 1 ? 0 : place.sends ? 1 : defaultStep(input, count))
  if (bind.port + (ports - 1) * step > 65_535) {
    const where = input.count === undefined ? path : [...path, 'count']
    report.fault(
      where,
      `ports up to 65535: from ${bind.port} in steps of ${step} there is room for ${Math.floor((65_535 - bind.port) / step) + 1}`,
    )
    return []
  }
  if (bind.address + addresses - 1 > 0xffffffff || (bind.address === 0 && addresses > 1)) {
    report.fault([...path, 'address-count'], 'addresses that follow a given bind address')
    return []
  }
  checkLocal(input, bind.address, addresses, path, around.devices, report)
  const options = compileOptions(input, path, around)
  // Without a step all sockets of the group share a port, which only reuseport (or reuseaddr) lets bind() do.
  const samePort = count > ports * addresses || (step === 0 && count > addresses)
  const reuseport = input.reuseport ?? (samePort && input.reuseaddr !== true)
  const tasks = compileReaders(input, taskCount, path, report)
  const taskOf = (index: number) =>
    tasks === undefined ? (firstIndex + index) % taskCount : (tasks[index % tasks.length] as number)
  const sockets: SocketPlan[] = []
  for (let index = 0; index < count; index++) {
    sockets.push({
      taskIndex: shared ? -1 : taskOf(index),
      address: bind.address === 0 ? 0 : bind.address + (index % addresses),
      port: bind.port + (index % ports) * step,
      peer: input.connect ?? null,
      reuseport,
      ...options,
    })
  }
  around.places.push({ path, sockets })
  return sockets
}

function compileReaders(
  input: SocketGroupInput,
  taskCount: number,
  path: FaultPath,
  report: Report,
): readonly number[] | undefined {
  if (input.tasks !== undefined && input.shared === true) {
    report.fault([...path, 'tasks'], 'only one of tasks and shared')
  }
  input.tasks?.forEach((task, index) => {
    if (task >= taskCount) report.fault([...path, 'tasks', index], `a task from 0 to ${taskCount - 1}`)
  })
  return input.tasks
}

/** One socket per task on one port is the reuseport pattern; more or fewer sockets get ports of their own. */
function defaultStep(input: SocketGroupInput, count: number): number {
  if (input.reuseport === false || input.reuseaddr === true) return input.reuseaddr === true ? 0 : 1
  return input.count === undefined || count === 1 ? 0 : 1
}

function compileFilter(
  { SO_ATTACH_FILTER: program }: SocketGroupInput,
  path: FaultPath,
  report: Report,
): Pick<SocketPlan, 'filters' | 'attachedFilter'> {
  if (program === undefined) return {}
  const fault = bpfFault(program)
  if (fault !== null) report.fault([...path, 'SO_ATTACH_FILTER'], `a program that the kernel takes: ${fault}`)
  return { filters: [program], attachedFilter: 1 }
}

/** First address that is a group. */
const FIRST_GROUP = 0xe0000000
const LAST_GROUP = 0xefffffff

function compileGroups(
  { IP_ADD_MEMBERSHIP: given }: SocketGroupInput,
  path: FaultPath,
  devices: readonly string[],
  report: Report,
): Pick<SocketPlan, 'groups'> {
  given?.forEach(({ group, device }, i) => {
    const at = [...path, 'IP_ADD_MEMBERSHIP', i]
    if (group < FIRST_GROUP || group > LAST_GROUP)
      report.fault([...at, 'group'], 'a group from 224.0.0.0 to 239.255.255.255')
    if (!devices.includes(device))
      report.fault([...at, 'device'], `a device of the host: ${devices.join(', ')}`, devices)
  })
  given?.forEach(({ group, device }, i) => {
    if (given.findIndex((each) => each.group === group && each.device === device) < i)
      report.fault([...path, 'IP_ADD_MEMBERSHIP', i], 'groups that are joined once on a device (EADDRINUSE)')
  })
  return given === undefined ? {} : { groups: given }
}

function compileOptions(
  input: SocketGroupInput,
  path: FaultPath,
  around: AppSurroundings,
): Omit<SocketPlan, 'taskIndex' | 'address' | 'port' | 'peer' | 'reuseport'> {
  const { devices, cpuCount, sysctl, env } = around
  const { report, version } = env
  if (input.SO_RCVBUF !== undefined && input.SO_RCVBUFFORCE !== undefined) {
    report.fault([...path, 'SO_RCVBUFFORCE'], 'only one of SO_RCVBUF and SO_RCVBUFFORCE')
  }
  const rmemMax = sysctl['net.core.rmem_max']
  if (input.SO_RCVBUF !== undefined && input.SO_RCVBUF > rmemMax) {
    report.warn([...path, 'SO_RCVBUF'], `is cut to net.core.rmem_max, ${rmemMax}`)
  }
  const incoming = input.SO_INCOMING_CPU ?? -1
  if (incoming >= cpuCount) report.fault([...path, 'SO_INCOMING_CPU'], `-1, or a CPU from 0 to ${cpuCount - 1}`)
  const deviceNames = interfacesOf(devices).map(({ name }) => name)
  const device = input.SO_BINDTODEVICE ?? null
  if (device !== null && !deviceNames.includes(device)) {
    report.fault([...path, 'SO_BINDTODEVICE'], `a device of the host: ${deviceNames.join(', ')}`, deviceNames)
  }
  let prefer = input.SO_PREFER_BUSY_POLL ?? false
  let budget = input.SO_BUSY_POLL_BUDGET ?? 8
  if (!version.preferBusyPoll && (prefer || input.SO_BUSY_POLL_BUDGET !== undefined)) {
    report.warn(path, `Linux ${version.version} has no SO_PREFER_BUSY_POLL and SO_BUSY_POLL_BUDGET`)
    prefer = false
    budget = 8
  }
  let udpGro = input.UDP_GRO ?? false
  if (udpGro && !version.udpGro) {
    report.warn([...path, 'UDP_GRO'], `Linux ${version.version} has no UDP_GRO`)
    udpGro = false
  }
  return {
    reuseaddr: input.reuseaddr ?? false,
    // A buffer of 0 asked for is raised to the minimum by Linux, as 1 is; 0 in the plan means not asked for.
    soRcvbuf: atLeastOne(input.SO_RCVBUFFORCE ?? input.SO_RCVBUF),
    soRcvbufForce: input.SO_RCVBUFFORCE !== undefined,
    soSndbuf: atLeastOne(input.SO_SNDBUF),
    soPriority: input.SO_PRIORITY ?? 0,
    soBusyPollUsecs: input.SO_BUSY_POLL ?? sysctl['net.core.busy_read'],
    soPreferBusyPoll: prefer,
    soBusyPollBudget: budget,
    soIncomingCpu: incoming,
    soTimestamp: input.SO_TIMESTAMP ?? false,
    udpGro,
    ...compileFilter(input, path, report),
    ...compileGroups(input, path, deviceNames, report),
    ...compileSendOptions(input, path, devices, env),
    device,
  }
}

function atLeastOne(value: number | undefined): number {
  return value === undefined ? 0 : Math.max(1, value)
}

/** An address of the host, and the broadcast address of its subnet. Kernel: net/ipv4/af_inet.c, __inet_bind */
function bindable(text: string): readonly number[] {
  const prefix = parsePrefix(text)
  if (prefix === null) return []
  const { address, length } = prefix
  return length >= 31 ? [address] : [address, (address | (0xffffffff >>> length)) >>> 0]
}

function checkLocal(
  input: SocketGroupInput,
  first: number,
  count: number,
  path: FaultPath,
  devices: readonly DevicePlan[],
  report: Report,
): void {
  if (first === 0) return
  const interfaces = interfacesOf(devices)
  const local = new Set(interfaces.flatMap(({ addresses }) => addresses.flatMap(bindable)))
  const isLocal = (address: number) =>
    local.has(address) || address >>> 24 === 127 || address === 0xffffffff || address >>> 28 === 0xe
  for (let index = 0; index < count; index++) {
    if (isLocal(first + index)) continue
    const names = interfaces.flatMap(({ addresses }) => addresses.map((text) => text.split('/')[0] as string))
    const where = input['address-count'] === undefined ? [...path, 'bind'] : [...path, 'address-count']
    report.fault(
      where,
      `0.0.0.0 or an address of the host (EADDRNOTAVAIL): ${names.slice(0, 8).join(', ')}`,
      names,
      formatIpv4(first + index),
    )
    return
  }
}

/** Sockets of one group that bind() treats alike. */
interface BindClass {
  readonly path: FaultPath
  readonly device: string | null
  readonly reuseport: boolean
  readonly reuseaddr: boolean
}

/** Classes by port and address, and by port alone. */
interface Bound {
  readonly byAddress: Map<number, BindClass[]>
  readonly byPort: Map<number, BindClass[]>
}

/**
 * Records a fault for sockets that bind() would refuse with EADDRINUSE.
 *
 * Two sockets of one port conflict when their addresses overlap and neither both have SO_REUSEADDR nor both have
 * SO_REUSEPORT. Kernel: net/ipv4/udp.c, udp_lib_lport_inuse.
 */
export function checkBinds(places: readonly SocketPlace[], report: Report): void {
  const bound: Bound = { byAddress: new Map(), byPort: new Map() }
  for (const { path, sockets } of places) {
    // A program that was read only in part may not have these addresses.
    if (report.isPruned(path.slice(0, 4))) continue
    let refused = false
    for (const socket of sockets) {
      const other = refused ? undefined : findConflict(socket, bound)
      if (other !== undefined) {
        refused = true
        const name = `${formatIpv4(socket.address)}:${socket.port}`
        const owner = formatPath(other.path.slice(2))
        const accepted = `an address and port that are free, or reuseport on all of them (EADDRINUSE: ${name} is bound by ${owner})`
        report.fault([...path, 'bind'], accepted, [], name)
      }
      addClass(bound.byAddress, addressKey(socket.port, socket.address), path, socket)
      addClass(bound.byPort, socket.port, path, socket)
    }
  }
}

function addressKey(port: number, address: number): number {
  return port * 2 ** 32 + address
}

function addClass(classes: Map<number, BindClass[]>, key: number, path: FaultPath, socket: SocketPlan): void {
  const list = classes.get(key)
  const { device, reuseport, reuseaddr } = socket
  if (list === undefined) classes.set(key, [{ path, device, reuseport, reuseaddr }])
  else if (!list.some((known) => known.path === path)) list.push({ path, device, reuseport, reuseaddr })
}

function findConflict(socket: SocketPlan, { byAddress, byPort }: Bound): BindClass | undefined {
  const { port, address } = socket
  if (address === 0) return firstConflict(byPort.get(port), socket)
  return (
    firstConflict(byAddress.get(addressKey(port, address)), socket) ??
    firstConflict(byAddress.get(addressKey(port, 0)), socket)
  )
}

function firstConflict(classes: readonly BindClass[] | undefined, socket: SocketPlan): BindClass | undefined {
  return classes?.find((other) => {
    const sameDevice = other.device === socket.device || other.device === null || socket.device === null
    return sameDevice && !(other.reuseaddr && socket.reuseaddr) && !(other.reuseport && socket.reuseport)
  })
}
