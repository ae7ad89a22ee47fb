/** `ping`: one socket of ICMP for each of its tasks. */
import type { FaultPath } from '../fault.js'
import type { AppPlan, SocketPlan } from '../plan.js'
import type { AppInput } from '../schema/app.js'
import type { AppSurroundings } from './app.js'
import { DEFAULT_TIMER_SLACK_PS } from './send.js'

/** `ping` as it was written. */
export type PingInput = Extract<AppInput, { kind: 'ping' }>

const DEFAULT_BYTES = 56
const DEFAULT_INTERVAL_PS = 1e12
const DEFAULT_TIMEOUT_PS = 10e12
/** What ping's raw socket lets through: replies and errors. Kernel: include/uapi/linux/icmp.h, struct icmp_filter */
const REPLIES_AND_ERRORS = [0, 3, 4, 5, 11, 12]
const ICMP_FILTER = ~REPLIES_AND_ERRORS.reduce((bits, type) => bits | (1 << type), 0) >>> 0
const IPPROTO_ICMP = 1
const FIRST_GROUP = 0xe0000000

/** Options that no program but a UDP one sets. */
export const PLAIN_SOCKET = {
  port: 0,
  peer: null,
  reuseport: false,
  reuseaddr: false,
  soRcvbuf: 0,
  soRcvbufForce: false,
  soBusyPollUsecs: 0,
  soPreferBusyPoll: false,
  soBusyPollBudget: 8,
  soIncomingCpu: -1,
  soTimestamp: false,
  udpGro: false,
} as const satisfies Partial<SocketPlan>

/** Compiles the sockets, receivers and times of `ping`. */
export function compilePing(
  input: PingInput,
  taskCount: number,
  path: FaultPath,
  around: AppSurroundings,
): Omit<AppPlan, 'name' | 'tasks' | 'nice' | 'epoll'> {
  const { report } = around.env
  if (input.to === 0) report.fault([...path, 'to'], 'the address of a host')
  if (input.to >= FIRST_GROUP && input.to !== 0xffffffff) report.fault([...path, 'to'], 'the address of one host')
  if (input.flood === true && input.interval !== undefined) report.fault([...path, 'interval'], 'nothing with flood')
  const names = around.devices.map(({ name }) => name)
  const device = input.device ?? null
  if (device !== null && !names.includes(device))
    report.fault([...path, 'device'], `a device of the host: ${names.join(', ')}`, names)
  return {
    kind: 'ping',
    wait: 'recvfrom',
    batch: 1,
    maxEvents: 1,
    nonblocking: false,
    workPs: 0,
    workPerBytePs: 0,
    replyBytes: 0,
    bufferBytes: (input.size ?? DEFAULT_BYTES) + 192,
    sockets: Array.from({ length: taskCount }, (_, taskIndex) => pingSocket(input, taskIndex, device)),
    send: {
      to: { address: input.to, port: 0 },
      addressCount: 1,
      portCount: 1,
      payload: { kind: 'fixed', bytes: input.size ?? DEFAULT_BYTES },
      arrival: { kind: 'flood' },
      batch: 0,
      startPs: input.start ?? 0,
      stopPs: Number.MAX_SAFE_INTEGER,
      messages: input.count ?? 0,
      timerSlackPs: input['timer-slack'] ?? DEFAULT_TIMER_SLACK_PS,
      thinkPs: 0,
      thinkRandom: false,
      timeoutPs: input.timeout ?? DEFAULT_TIMEOUT_PS,
    },
    ping: { intervalPs: input.flood === true ? 0 : (input.interval ?? DEFAULT_INTERVAL_PS) },
  }
}

function pingSocket(input: PingInput, taskIndex: number, device: string | null): SocketPlan {
  const { IP_TTL: ttl, IP_TOS: tos, IP_MTU_DISCOVER: pmtudisc } = input
  return {
    ...PLAIN_SOCKET,
    family: input.socket === 'raw' ? 'raw' : 'ping',
    raw: { protocol: IPPROTO_ICMP, icmpFilter: input.socket === 'raw' ? ICMP_FILTER : 0 },
    taskIndex,
    address: input.source ?? 0,
    soTimestamp: true,
    broadcast: true,
    device,
    send: {
      ...(ttl === undefined ? {} : { ttl }),
      ...(tos === undefined ? {} : { tos }),
      ...(pmtudisc === undefined ? {} : { pmtudisc }),
    },
  }
}
