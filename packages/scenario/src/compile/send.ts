/** Programs that send by themselves: what, where to and when. */
import { parseIpv4, parsePrefix } from '../address.js'
import type { FaultPath, Report } from '../fault.js'
import { interfacesOf } from '../interfaces.js'
import type { AppPlan, DevicePlan, Distribution, SocketPlan } from '../plan.js'
import type { AppInput, SocketGroupInput } from '../schema/app.js'
import type { CmsgPlan, SendArrival, SendOptionsPlan, SendPlan } from '../send-plan.js'
import type { Environment } from './host.js'

/** A program that sends as it was written. */
export type SendInput = Extract<AppInput, { kind: 'udp_sender' | 'udp_client' }>

/** Payload of a message that names none: that of a smallest frame. */
const DEFAULT_PAYLOAD_BYTES = 18
/** How much longer a sleep of a program lasts that says nothing, ps. Kernel: include/linux/init_task.h, timer_slack_ns */
export const DEFAULT_TIMER_SLACK_PS = 50e6
const DEFAULT_TIMEOUT_PS = 1e12
const DEFAULT_BATCH = 32

/** Whether a program sends by itself. */
export function isSender(input: AppInput): input is SendInput {
  return input.kind === 'udp_sender' || input.kind === 'udp_client'
}

/** What a program that reads nothing by epoll has instead of the settings of readers. */
export function sendingApp(
  input: SendInput,
): Omit<AppPlan, 'name' | 'tasks' | 'nice' | 'sockets' | 'send' | 'epoll' | 'kind'> {
  return {
    wait: 'recvfrom',
    batch: 1,
    maxEvents: 1,
    nonblocking: input.kind === 'udp_sender' && (input.nonblocking ?? false),
    workPs: input.work ?? 0,
    workPerBytePs: 0,
    replyBytes: 0,
    bufferBytes: input.kind === 'udp_client' ? (input.buffer ?? 2048) : 0,
  }
}

/** Compiles what a program sends, against its sockets and devices. */
export function compileSend(
  input: SendInput,
  sockets: readonly SocketPlan[],
  path: FaultPath,
  devices: readonly DevicePlan[],
  env: Environment,
): SendPlan {
  const { report } = env
  const to = input.to ?? null
  if (to !== null && to.address === 0) report.fault([...path, 'to'], 'an address and port of the receiver')
  if (to === null && sockets.some(({ peer }) => peer === null))
    report.fault([...path, 'to'], 'the receiver, or sockets that are connected (sockets.connect)')
  if (to !== null && sockets.length > 0 && sockets.every(({ peer }) => peer !== null))
    report.warn([...path, 'to'], 'has precedence over the peers of the connected sockets')
  const addresses = input['to-address-count'] ?? 1
  const ports = input['to-port-count'] ?? 1
  if (to !== null && to.port + ports - 1 > 65_535)
    report.fault([...path, 'to-port-count'], `ports up to 65535: at most ${65_536 - to.port} from ${to.port}`)
  if (to !== null && to.address + addresses - 1 > 0xffffffff)
    report.fault([...path, 'to-address-count'], 'addresses up to 255.255.255.255')
  const client = input.kind === 'udp_client'
  return {
    to,
    addressCount: addresses,
    portCount: ports,
    payload: compilePayload(input.payload),
    arrival: client ? { kind: 'flood' } : compileArrival(input, path, env),
    batch: client ? 0 : compileBatch(input, path, env),
    ...(client ? {} : compileCalls(input, path, env)),
    ...(client || input.cmsg === undefined ? {} : { cmsg: compileCmsg(input.cmsg, [...path, 'cmsg'], devices, env) }),
    startPs: input.start ?? 0,
    stopPs: input.stop ?? Number.MAX_SAFE_INTEGER,
    messages: input.messages ?? 0,
    timerSlackPs: input['timer-slack'] ?? DEFAULT_TIMER_SLACK_PS,
    thinkPs: client ? (input.think ?? 0) : 0,
    thinkRandom: client && (input['think-random'] ?? false),
    timeoutPs: client ? (input.timeout ?? DEFAULT_TIMEOUT_PS) : 0,
  }
}

/** How the calls of a sender are made, where they are not plain ones. */
function compileCalls(
  input: Extract<SendInput, { kind: 'udp_sender' }>,
  path: FaultPath,
  { report }: Environment,
): Pick<SendPlan, 'pieces' | 'cork' | 'dontRoute'> {
  const pieces = input.pieces ?? 1
  if (pieces > 1 && input.call === 'sendmmsg')
    report.fault([...path, 'pieces'], 'nothing with call: sendmmsg, whose messages are whole')
  if (pieces === 1 && input.cork !== undefined) report.warn([...path, 'cork'], 'has no effect without pieces')
  return {
    ...(pieces === 1 ? {} : { pieces, cork: input.cork ?? 'MSG_MORE' }),
    ...(input.MSG_DONTROUTE === undefined ? {} : { dontRoute: input.MSG_DONTROUTE }),
  }
}

/** Ancillary data, against the devices of the program's namespace. */
function compileCmsg(
  given: NonNullable<Extract<SendInput, { kind: 'udp_sender' }>['cmsg']>,
  path: FaultPath,
  devices: readonly DevicePlan[],
  { report, version }: Environment,
): CmsgPlan {
  const cuts = given.UDP_SEGMENT !== undefined && version.udpSegmentsMax > 0
  if (given.UDP_SEGMENT !== undefined && !cuts)
    report.warn([...path, 'UDP_SEGMENT'], `Linux ${version.version} has no UDP_SEGMENT; messages are not cut`)
  const pktinfo = given.IP_PKTINFO
  if (pktinfo?.device !== undefined) checkDevice(pktinfo.device, [...path, 'IP_PKTINFO', 'device'], devices, report)
  return {
    ...(cuts ? { segmentBytes: given.UDP_SEGMENT ?? 0 } : {}),
    ...(given.IP_TTL === undefined ? {} : { ttl: given.IP_TTL }),
    ...(given.IP_TOS === undefined ? {} : { tos: given.IP_TOS }),
    ...(pktinfo === undefined ? {} : { pktinfo }),
  }
}

function checkDevice(name: string, path: FaultPath, devices: readonly DevicePlan[], report: Report): void {
  const names = interfacesOf(devices).map(({ name: each }) => each)
  if (!names.includes(name)) report.fault(path, `a device of the host: ${names.join(', ')}`, names, name)
}

/** Device of IP_MULTICAST_IF, and its address where it was named by one. Kernel: net/ipv4/ip_sockglue.c, do_ip_setsockopt */
function compileMulticastIf(
  given: string,
  path: FaultPath,
  devices: readonly DevicePlan[],
  { report }: Environment,
): Pick<SendOptionsPlan, 'multicastDevice' | 'multicastAddress'> {
  const address = parseIpv4(given)
  if (address === null) {
    checkDevice(given, path, devices, report)
    return { multicastDevice: given }
  }
  const device = interfacesOf(devices).find(({ addresses }) =>
    addresses.some((text) => parsePrefix(text)?.address === address),
  )
  if (device !== undefined) return { multicastDevice: device.name, multicastAddress: address }
  const names = interfacesOf(devices).flatMap(({ addresses }) => addresses.map((text) => text.split('/')[0] as string))
  report.fault(path, `a device of the host, or one of its addresses (EADDRNOTAVAIL): ${names.join(', ')}`, names, given)
  return {}
}

function compilePayload(given: SendInput['payload']): Distribution {
  if (given === undefined) return { kind: 'fixed', bytes: DEFAULT_PAYLOAD_BYTES }
  return typeof given === 'number' ? { kind: 'fixed', bytes: given } : { kind: 'weighted', values: given }
}

function compileBatch(
  input: Extract<SendInput, { kind: 'udp_sender' }>,
  path: FaultPath,
  { report }: Environment,
): number {
  if (input.call === 'sendmmsg') return input.batch ?? DEFAULT_BATCH
  if (input.batch !== undefined) report.warn([...path, 'batch'], 'has no effect with call: sendto')
  return 0
}

function compileArrival(
  input: Extract<SendInput, { kind: 'udp_sender' }>,
  path: FaultPath,
  { report }: Environment,
): SendArrival {
  const pattern = input.pattern ?? (input.rate !== undefined ? 'constant' : 'flood')
  const isPaced = pattern === 'constant' || pattern === 'poisson'
  if (!isPaced && input.rate !== undefined) report.fault([...path, 'rate'], `nothing with pattern: ${pattern}`)
  if (pattern !== 'burst') {
    for (const key of ['count', 'every'] as const)
      if (input[key] !== undefined) report.fault([...path, key], `nothing with pattern: ${pattern}`)
  }
  if (pattern === 'flood') return { kind: 'flood' }
  if (isPaced) {
    if (input.rate === undefined) report.fault([...path, 'rate'], 'messages per second')
    return { kind: pattern, packetsPerSec: input.rate ?? 1 }
  }
  if (input.every === undefined) report.fault([...path, 'every'], 'the time from one burst to the next')
  return { kind: 'burst', count: input.count ?? 1, everyPs: input.every ?? 1e12 }
}

/** Options of a group of sockets that matter to what they send. */
export function compileSendOptions(
  input: SocketGroupInput,
  path: FaultPath,
  devices: readonly DevicePlan[],
  env: Environment,
): Pick<SocketPlan, 'broadcast' | 'multicastAll' | 'send'> {
  const { report, version } = env
  const cuts = input.UDP_SEGMENT !== undefined && version.udpSegmentsMax > 0
  if (input.UDP_SEGMENT !== undefined && !cuts)
    report.warn([...path, 'UDP_SEGMENT'], `Linux ${version.version} has no UDP_SEGMENT; messages are not cut`)
  const multicastIf =
    input.IP_MULTICAST_IF === undefined
      ? {}
      : compileMulticastIf(input.IP_MULTICAST_IF, [...path, 'IP_MULTICAST_IF'], devices, env)
  const bound = input.SO_BINDTODEVICE
  if (bound !== undefined && multicastIf.multicastDevice !== undefined && multicastIf.multicastDevice !== bound)
    report.fault([...path, 'IP_MULTICAST_IF'], `the device the socket is bound to, ${bound} (EINVAL)`)
  const send: SendOptionsPlan = {
    ...(cuts ? { segmentBytes: input.UDP_SEGMENT ?? 0 } : {}),
    ...(input.IP_TTL === undefined ? {} : { ttl: input.IP_TTL }),
    ...(input.IP_TOS === undefined ? {} : { tos: input.IP_TOS }),
    ...(input.IP_MTU_DISCOVER === undefined ? {} : { pmtudisc: input.IP_MTU_DISCOVER }),
    ...(input.SO_MAX_PACING_RATE === undefined ? {} : { pacingRate: input.SO_MAX_PACING_RATE }),
    ...(input.SO_NO_CHECK === undefined ? {} : { noCheck: input.SO_NO_CHECK }),
    ...(input.IP_MULTICAST_TTL === undefined ? {} : { multicastTtl: input.IP_MULTICAST_TTL }),
    ...(input.IP_MULTICAST_LOOP === undefined ? {} : { multicastLoop: input.IP_MULTICAST_LOOP }),
    ...(input.SO_DONTROUTE === undefined ? {} : { dontRoute: input.SO_DONTROUTE }),
    ...multicastIf,
  }
  return {
    ...(input.SO_BROADCAST === undefined ? {} : { broadcast: input.SO_BROADCAST }),
    ...(input.IP_MULTICAST_ALL === undefined ? {} : { multicastAll: input.IP_MULTICAST_ALL }),
    ...(Object.keys(send).length === 0 ? {} : { send }),
  }
}
