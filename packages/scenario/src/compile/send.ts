/** Programs that send by themselves: what, where to and when. */
import type { FaultPath } from '../fault.js'
import type { AppPlan, Distribution, SocketPlan } from '../plan.js'
import type { AppInput, SocketGroupInput } from '../schema/app.js'
import type { SendArrival, SendOptionsPlan, SendPlan } from '../send-plan.js'
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

/** Compiles what a program sends, against its sockets. */
export function compileSend(
  input: SendInput,
  sockets: readonly SocketPlan[],
  path: FaultPath,
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
    startPs: input.start ?? 0,
    stopPs: input.stop ?? Number.MAX_SAFE_INTEGER,
    messages: input.messages ?? 0,
    timerSlackPs: input['timer-slack'] ?? DEFAULT_TIMER_SLACK_PS,
    thinkPs: client ? (input.think ?? 0) : 0,
    thinkRandom: client && (input['think-random'] ?? false),
    timeoutPs: client ? (input.timeout ?? DEFAULT_TIMEOUT_PS) : 0,
  }
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
  { report, version }: Environment,
): Pick<SocketPlan, 'broadcast' | 'send'> {
  const cuts = input.UDP_SEGMENT !== undefined && version.udpSegmentsMax > 0
  if (input.UDP_SEGMENT !== undefined && !cuts)
    report.warn([...path, 'UDP_SEGMENT'], `Linux ${version.version} has no UDP_SEGMENT; messages are not cut`)
  const send: SendOptionsPlan = {
    ...(cuts ? { segmentBytes: input.UDP_SEGMENT ?? 0 } : {}),
    ...(input.IP_TTL === undefined ? {} : { ttl: input.IP_TTL }),
    ...(input.IP_TOS === undefined ? {} : { tos: input.IP_TOS }),
    ...(input.IP_MTU_DISCOVER === undefined ? {} : { pmtudisc: input.IP_MTU_DISCOVER }),
    ...(input.SO_MAX_PACING_RATE === undefined ? {} : { pacingRate: input.SO_MAX_PACING_RATE }),
    ...(input.SO_NO_CHECK === undefined ? {} : { noCheck: input.SO_NO_CHECK }),
  }
  return {
    ...(input.SO_BROADCAST === undefined ? {} : { broadcast: input.SO_BROADCAST }),
    ...(Object.keys(send).length === 0 ? {} : { send }),
  }
}
