/** Sources of traffic: where they send, how fast, which flows. */
import { formatIpv4, parsePrefix } from '../address.js'
import type { FaultPath, Report } from '../fault.js'
import { FCS_BYTES, IMIX_FRAMES } from '../frame-sizes.js'
import { interfacesOf } from '../interfaces.js'
import type { Arrival, DevicePlan, Distribution, FlowSetPlan, FragmentsPlan, HostPlan, TrafficPlan } from '../plan.js'
import type { OfferedRate } from '../schema/fields.js'
import type { ClosedInput, FlowsInput, OpenInput, ReplayInput, TrafficInput } from '../schema/traffic.js'
import type { Environment } from './host.js'
import { DEFAULT_PORT } from './sockets.js'

/** What traffic is compiled against. */
export interface TrafficSurroundings {
  readonly env: Environment
  readonly hosts: readonly HostPlan[]
  /** Names of hosts and their devices in the document, also of those that could not be compiled. */
  readonly names: ReadonlyMap<string, readonly string[]>
  readonly durationPs: number
  readonly readCapture: ((path: string) => Uint8Array | { readonly error: string }) | undefined
}

interface Target {
  readonly host: HostPlan
  readonly device: DevicePlan
}

/** Compiles one source; null if it has no target. */
export function compileTraffic(name: string, input: TrafficInput, around: TrafficSurroundings): TrafficPlan | null {
  const path: FaultPath = ['traffic', name]
  const target = findTarget(input.to, [...path, 'to'], around)
  const startPs = input.start ?? 0
  if (startPs >= around.durationPs) {
    around.env.report.warn([...path, 'start'], 'is not before the end of the run: nothing is sent')
  }
  if (target === null) return null
  if (target.device.driver.virtual) {
    const { driver, peer } = target.device
    const why = peer === undefined ? 'has no sender here' : `takes packets from ${peer} alone`
    around.env.report.fault([...path, 'to'], `a device with a link: ${driver.name} ${why}`)
    return null
  }
  if (target.device.link !== undefined) {
    const free = around.hosts.flatMap((host) =>
      host.devices.filter(({ link }) => link === undefined).map((device) => `${host.name}/${device.name}`),
    )
    const words = free.length === 0 ? 'no source: programs of hosts send' : `one of ${free.join(', ')}`
    around.env.report.fault(
      [...path, 'to'],
      `a device at whose other end is no host (${words}); ${target.device.name} is on ${target.device.link}`,
    )
    return null
  }
  if (input.kind === 'closed') return compileClosed(name, input, target, path, around)
  if (input.kind === 'replay') return compileReplay(name, input, target, path, around)
  return compileOpen(name, input, target, path, around)
}

function findTarget(to: string | undefined, path: FaultPath, around: TrafficSurroundings): Target | null {
  const { hosts, names, env } = around
  const all = hosts.flatMap((host) => host.devices.map((device) => ({ host, device })))
  const known = [...names].flatMap(([host, devices]) => devices.map((device) => `${host}/${device}`))
  if (to === undefined) {
    if (known.length === 1) return all[0] ?? null
    env.report.fault(path, `host/device, one of ${known.join(', ')}`)
    return null
  }
  const slash = to.indexOf('/')
  const first = slash < 0 ? to : to.slice(0, slash)
  const second = slash < 0 ? undefined : to.slice(slash + 1)
  const found = all.filter(({ host, device }) =>
    second === undefined ? device.name === first || host.name === first : host.name === first && device.name === second,
  )
  if (found.length === 1) return found[0] as Target
  // A target that is written but faulty has its own fault already.
  if (found.length === 0 && known.includes(to)) return null
  const words = found.length > 1 ? `host/device, since ${to} could be several` : 'host/device'
  env.report.fault(
    path,
    `${words}: one of ${known.join(', ')}`,
    second === undefined ? [...known, ...known.map((text) => text.slice(text.indexOf('/') + 1))] : known,
  )
  return null
}

function meanBytes(frame: Distribution): number {
  const values =
    frame.kind === 'fixed' ? [{ bytes: frame.bytes, weight: 1 }] : frame.kind === 'imix' ? IMIX_FRAMES : frame.values
  const weight = values.reduce((sum, value) => sum + value.weight, 0)
  return values.reduce((sum, value) => sum + value.bytes * value.weight, 0) / weight
}

function compileFrame(
  given: OpenInput['frame'],
  target: Target,
  vlan: boolean,
  path: FaultPath,
  around: TrafficSurroundings,
): Distribution {
  const { report } = around.env
  const tag = vlan ? 4 : 0
  const largest = target.device.mtu + 14 + tag + FCS_BYTES
  const check = (bytes: number, where: FaultPath) => {
    if (bytes > largest) report.fault(where, `64 to ${largest} bytes, a frame of the MTU of ${target.device.name}`)
    return bytes - FCS_BYTES
  }
  if (given === undefined) return { kind: 'fixed', bytes: 64 - FCS_BYTES }
  if (given === 'imix') {
    if (largest < 1518 + tag) report.fault(path, `frames up to ${largest} bytes; imix has frames of 1518`)
    return { kind: 'imix' }
  }
  if (typeof given === 'number') return { kind: 'fixed', bytes: check(given, path) }
  return {
    kind: 'weighted',
    values: given.map((entry, index) => ({
      bytes: check(entry.bytes, [...path, index, 'bytes']),
      weight: entry.weight,
    })),
  }
}

/** What one packet or datagram puts on the link on average: frames, and their bytes with FCS. */
interface Load {
  readonly frames: number
  readonly bytes: number
}

function loadOf(frame: Distribution): Load {
  return { frames: 1, bytes: meanBytes(frame) + FCS_BYTES }
}

function packetsPerSec(rate: OfferedRate, load: Load): number {
  return 'packetsPerSec' in rate ? rate.packetsPerSec : rate.bitsPerSec / (8 * load.bytes)
}

function compileArrival(
  input: OpenInput,
  load: Load,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
): Arrival {
  const { report } = around.env
  const pattern = input.pattern ?? 'constant'
  warnOtherPattern(input, pattern, path, around)
  const rate = packetsPerSec(input.rate ?? { packetsPerSec: 1_000_000 }, load)
  const wireBits = 8 * (load.bytes + load.frames * target.device.frameOverheadBytes)
  const lineRate = target.device.linkBitsPerSec / wireBits
  const peak =
    pattern === 'ramp' ? Math.max(input['rate-from'] ?? 0, input['rate-to'] ?? 0) : pattern === 'burst' ? 0 : rate
  if (peak > lineRate * 1.0001) {
    const key = pattern === 'ramp' ? 'rate-to' : 'rate'
    report.warn(
      [...path, key],
      `is more than the link carries: ${Math.floor(lineRate)} packets/s; the source is paced by the link`,
    )
  }
  switch (pattern) {
    case 'constant':
    case 'poisson':
      return { kind: pattern, packetsPerSec: rate }
    case 'onoff':
      return {
        kind: 'onoff',
        packetsPerSec: rate,
        onPs: input.on ?? 1e9,
        offPs: input.off ?? 1e9,
        random: input.random ?? false,
      }
    case 'ramp': {
      const fromPacketsPerSec = input['rate-from'] ?? 0
      const toPacketsPerSec = input['rate-to'] ?? 1_000_000
      if (fromPacketsPerSec === 0 && toPacketsPerSec === 0)
        report.fault([...path, 'rate-to'], 'above 0 when rate-from is 0')
      return { kind: 'ramp', fromPacketsPerSec, toPacketsPerSec }
    }
    case 'burst':
      return { kind: 'burst', count: input.count ?? 256, everyPs: input.every ?? 1e9 }
  }
}

const PATTERN_KEYS: Readonly<Record<string, readonly string[]>> = {
  rate: ['constant', 'poisson', 'onoff'],
  on: ['onoff'],
  off: ['onoff'],
  random: ['onoff'],
  'rate-from': ['ramp'],
  'rate-to': ['ramp'],
  count: ['burst'],
  every: ['burst'],
}

function warnOtherPattern(input: OpenInput, pattern: string, path: FaultPath, around: TrafficSurroundings): void {
  for (const [key, patterns] of Object.entries(PATTERN_KEYS)) {
    if ((input as Record<string, unknown>)[key] === undefined || patterns.includes(pattern)) continue
    around.env.report.warn([...path, key], `has no effect with pattern: ${pattern}`)
  }
}

const IPV4_BYTES = 20
const UDP_BYTES = 8
const MIN_FRAME_BYTES = 60

/** Bytes behind the IP header of all fragments but the last, at an MTU. */
function fragmentUnit(mtu: number): number {
  return (mtu - IPV4_BYTES) & ~7
}

type AskedFragments = Omit<FragmentsPlan, 'frames'>

function compileFragments(
  input: OpenInput,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
): AskedFragments | null {
  const { report } = around.env
  if (input.datagram === undefined) {
    if (input.fragment !== undefined) report.warn([...path, 'fragment'], 'has no effect without datagram')
    return null
  }
  if (input.frame !== undefined) report.fault([...path, 'datagram'], 'frame or datagram, not both')
  if ((input.protocol ?? 'udp') !== 'udp') report.fault([...path, 'datagram'], 'protocol: udp')
  const mtu = input.fragment?.mtu ?? target.device.mtu
  if (mtu > target.device.mtu) {
    report.fault([...path, 'fragment', 'mtu'], `at most ${target.device.mtu}, the MTU of ${target.device.name}`)
  }
  if (IPV4_BYTES + UDP_BYTES + input.datagram <= mtu) {
    if (input.fragment !== undefined) {
      report.warn(
        [...path, 'fragment'],
        `has no effect: ${input.datagram} bytes fit into one frame at an MTU of ${mtu}`,
      )
    }
    return null
  }
  const { order = 'forward', send = 'all', lose = 0 } = input.fragment ?? {}
  return { datagramBytes: input.datagram, mtu, order, send, lose }
}

/** The frame of a datagram that needs one, or what its fragments come to. */
function datagramFrames(
  input: OpenInput,
  fragments: AskedFragments | null,
  frame: Distribution,
  target: Target,
): { readonly frame: Distribution; readonly load: Load } {
  if (input.datagram === undefined) return { frame, load: loadOf(frame) }
  const linkBytes = (input.vlan ?? 0) > 0 ? 18 : 14
  const l4Bytes = UDP_BYTES + input.datagram
  const unit = fragments === null ? target.device.mtu : fragmentUnit(fragments.mtu)
  let frames = 0
  let bytes = 0
  for (let left = l4Bytes, first = true; left > 0; left -= unit, first = false) {
    if (fragments?.send === (first ? 'rest' : 'first')) continue
    frames++
    bytes += Math.max(MIN_FRAME_BYTES, linkBytes + IPV4_BYTES + Math.min(unit, left)) + FCS_BYTES
  }
  const mean = Math.round(bytes / frames) - FCS_BYTES
  const frameBytes = fragments === null ? linkBytes + IPV4_BYTES + l4Bytes : mean
  return { frame: { kind: 'fixed', bytes: frameBytes }, load: { frames, bytes } }
}

/** What a protocol cannot do is a fault; what it does not look at, a warning. */
function checkProtocol(
  input: OpenInput,
  protocol: 'udp' | 'tcp' | 'icmp' | 'arp',
  path: FaultPath,
  report: Report,
): void {
  const idle = (key: string): void => report.warn([...path, key], `has no effect with protocol: ${protocol}`)
  if (protocol !== 'tcp' && input.train !== undefined && input.train > 1) idle('train')
  if (protocol !== 'udp' && input['zero-checksum'] === true) idle('zero-checksum')
  if (protocol !== 'arp') {
    if (input.arp !== undefined) idle('arp')
    return
  }
  if (input.malform !== undefined) idle('malform')
  if (input.frame !== undefined && input.frame !== 64)
    report.fault([...path, 'frame'], '64: ARP messages have no other length')
  if ((input.vlan ?? 0) > 0) report.fault([...path, 'vlan'], 'no tag: ARP messages are sent untagged')
  if (input.flows?.pick === 'churn')
    report.fault([...path, 'flows', 'pick'], 'roundrobin, uniform or zipf with protocol: arp')
}

function compileOpen(
  name: string,
  input: OpenInput,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
): TrafficPlan {
  const { report } = around.env
  const given = compileFrame(input.frame, target, (input.vlan ?? 0) > 0, [...path, 'frame'], around)
  const asked = compileFragments(input, target, path, around)
  const { frame, load } = datagramFrames(input, asked, given, target)
  const fragments = asked === null ? null : { ...asked, frames: load.frames }
  const startPs = input.start ?? 0
  const stopPs = Math.min(input.stop ?? around.durationPs, around.durationPs)
  if (input.stop !== undefined && input.stop <= startPs) report.fault([...path, 'stop'], 'a time after start')
  const vlan = input.vlan ?? 0
  if (vlan > 0 && !target.device.vlans.includes(vlan)) {
    report.warn([...path, 'vlan'], `${target.device.name} has no VLAN device ${vlan}: the frames are dropped`)
  }
  const protocol = input.protocol ?? 'udp'
  checkProtocol(input, protocol, path, report)
  const malform = input.malform ?? {}
  return {
    kind: 'open',
    name,
    host: target.host.name,
    dev: target.device.name,
    protocol,
    ...(protocol === 'arp' ? { arp: input.arp ?? 'request' } : {}),
    arrival: compileArrival(input, load, target, path, around),
    frame,
    fragments,
    flows: compileFlows(input.flows ?? {}, 1, target, [...path, 'flows'], around, { isArp: protocol === 'arp', vlan }),
    startPs,
    stopPs,
    packets: input.packets ?? 0,
    vlan,
    zeroChecksum: input['zero-checksum'] ?? false,
    malform: {
      ipChecksum: malform['ip-checksum'] ?? 0,
      udpChecksum: malform['udp-checksum'] ?? 0,
      truncated: malform.truncated ?? 0,
      badVersion: malform['bad-version'] ?? 0,
      otherHost: malform['other-host'] ?? 0,
    },
    trainSegments: input.train ?? 1,
  }
}

function compileClosed(
  name: string,
  input: ClosedInput,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
): TrafficPlan {
  const clients = input.clients ?? 16
  return {
    kind: 'closed',
    name,
    host: target.host.name,
    dev: target.device.name,
    clients,
    depth: input.depth ?? 1,
    thinkPs: input.think ?? 0,
    thinkRandom: input['think-random'] ?? false,
    frame: compileFrame(input.frame, target, false, [...path, 'frame'], around),
    flows: compileFlows(input.flows ?? {}, clients, target, [...path, 'flows'], around),
    timeoutPs: input.timeout ?? 1e10,
    startPs: input.start ?? 0,
  }
}

function firstPort(host: HostPlan): number {
  for (const app of host.apps) {
    const socket = app.sockets[0]
    if (socket !== undefined) return socket.port
  }
  return DEFAULT_PORT
}

/** First address of the device that takes what is tagged so; of the device itself where that has none. */
function firstAddress(device: DevicePlan, vlan: number): number {
  const [own, ...others] = interfacesOf([device])
  const tagged = others[device.vlans.indexOf(vlan)]?.addresses[0]
  return parsePrefix(tagged ?? own?.addresses[0] ?? '')?.address ?? 0
}

function compileFlows(
  input: FlowsInput,
  defaultCount: number,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
  { isArp, vlan }: { readonly isArp: boolean; readonly vlan: number } = { isArp: false, vlan: 0 },
): FlowSetPlan {
  const { env } = around
  const { report } = env
  const count = input.count ?? defaultCount
  const maxFlows = env.limits.flows as number
  if (count > maxFlows) report.fault([...path, 'count'], `at most ${maxFlows} flows, limits.flows`)
  const pick = input.pick ?? 'roundrobin'
  if (pick !== 'zipf' && input['zipf-exponent'] !== undefined)
    report.warn([...path, 'zipf-exponent'], `has no effect with pick: ${pick}`)
  if (pick !== 'churn' && input['packets-per-flow'] !== undefined)
    report.warn([...path, 'packets-per-flow'], `has no effect with pick: ${pick}`)
  const sport = input.sport ?? 10_000
  const dport = input.dport ?? firstPort(target.host)
  const sportCount = input['sport-count'] ?? Math.min(count, 65_536 - sport)
  const dportCount = input['dport-count'] ?? 1
  if (sport + sportCount > 65_536) report.fault([...path, 'sport-count'], `1 to ${65_536 - sport}: ports end at 65535`)
  if (dport + dportCount > 65_536) report.fault([...path, 'dport-count'], `1 to ${65_536 - dport}: ports end at 65535`)
  const daddr = input.dst ?? firstAddress(target.device, vlan)
  const daddrCount = input['dst-count'] ?? 1
  const saddr = input.src ?? 0xc6336401
  const saddrCount = input['src-count'] ?? 1
  if (saddr + saddrCount > 2 ** 32) report.fault([...path, 'src-count'], 'addresses up to 255.255.255.255')
  if (daddr + daddrCount > 2 ** 32) report.fault([...path, 'dst-count'], 'addresses up to 255.255.255.255')
  const everywhere = new Set(
    interfacesOf(target.host.devices).flatMap(({ addresses }) =>
      addresses.map((text) => parsePrefix(text)?.address ?? 0),
    ),
  )
  for (let index = 0; index < Math.min(daddrCount, count); index++) {
    if (isArp || everywhere.has(daddr + index) || target.device.conf.forwarding !== 0) continue
    report.warn(
      [...path, 'dst'],
      `${formatIpv4(daddr + index)} is not an address of ${target.host.name}: the packets are not for it`,
    )
    break
  }
  const ranges = isArp ? [saddrCount, daddrCount] : [saddrCount, daddrCount, sportCount, dportCount]
  const distinct = ranges.reduce(leastCommonMultiple, 1)
  if (distinct < count) report.warn(path, `the addresses and ports give ${distinct} different flows, not ${count}`)
  return {
    count,
    pick,
    zipfExponent: input['zipf-exponent'] ?? 1,
    packetsPerFlow: input['packets-per-flow'] ?? 100,
    saddr,
    saddrCount,
    daddr,
    daddrCount,
    sport,
    sportCount,
    dport,
    dportCount,
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}

function compileReplay(
  name: string,
  input: ReplayInput,
  target: Target,
  path: FaultPath,
  around: TrafficSurroundings,
): TrafficPlan | null {
  const { report, limits } = around.env
  const where = [...path, 'capture']
  if (around.readCapture === undefined) {
    report.fault(where, 'a file: captures can only be read where the caller gives a reader')
    return null
  }
  const capture = around.readCapture(input.capture)
  if (!(capture instanceof Uint8Array)) {
    report.fault(where, `a readable pcap or pcapng file (${capture.error})`)
    return null
  }
  const maxBytes = limits['capture-bytes'] as number
  if (capture.length > maxBytes) {
    report.fault(where, `a file of at most ${maxBytes} bytes, limits.capture-bytes`)
    return null
  }
  const rewrite = input.rewrite ?? {}
  return {
    kind: 'replay',
    name,
    host: target.host.name,
    dev: target.device.name,
    capture,
    path: input.capture,
    speed: input.speed ?? 1,
    repeat: input.repeat ?? 1,
    startPs: input.start ?? 0,
    rewrite: {
      daddr: rewrite['dst-ip'] ?? null,
      saddr: rewrite['src-ip'] ?? null,
      dmac: rewrite['dst-mac'] ?? null,
      dport: rewrite['dst-port'] ?? null,
    },
  }
}
