/** `packet_capture`: a packet socket for each of its tasks. */
import { bpfFault } from '../bpf.js'
import type { FaultPath } from '../fault.js'
import type { RingPlan } from '../packet-plan.js'
import type { AppPlan, SocketPlan } from '../plan.js'
import type { AppInput } from '../schema/app.js'
import type { AppSurroundings } from './app.js'
import { PLAIN_SOCKET } from './ping.js'

/** `packet_capture` as it was written. */
export type CaptureInput = Extract<AppInput, { kind: 'packet_capture' }>

/** Kernel: include/uapi/linux/if_ether.h, ETH_P_* */
const ETH_P = { all: 3, ip: 0x0800, arp: 0x0806 } as const
const DEFAULT_SNAP_BYTES = 262_144
const DEFAULT_BUFFER_BYTES = 2_097_152
const DEFAULT_BLOCK_BYTES = 262_144
const DEFAULT_FRAME_BYTES = 2048
const DEFAULT_RETIRE_PS = 1e12
const FRAME_ALIGN = 16

/** Compiles the sockets and rings of a capture. */
export function compileCapture(
  input: CaptureInput,
  taskCount: number,
  path: FaultPath,
  around: AppSurroundings,
): Omit<AppPlan, 'name' | 'tasks' | 'nice' | 'epoll'> {
  const { report } = around.env
  const names = around.devices.flatMap(({ name, vlans }) => [name, ...vlans.map((vlan) => `${name}.${vlan}`)])
  if (input.dev !== 'any' && input.dev !== 'lo' && !names.includes(input.dev))
    report.fault([...path, 'dev'], `any, lo, or a device of the host: ${names.join(', ')}`, ['any', 'lo', ...names])
  if (input.SO_ATTACH_FILTER !== undefined) {
    const fault = bpfFault(input.SO_ATTACH_FILTER)
    if (fault !== null) report.fault([...path, 'SO_ATTACH_FILTER'], `a program that the kernel takes: ${fault}`)
  }
  const ring = compileRing(input, path, around)
  return {
    kind: 'packet_capture',
    wait: 'recvfrom',
    batch: 1,
    maxEvents: 1,
    nonblocking: false,
    workPs: input.work ?? 0,
    workPerBytePs: input['work-per-byte'] ?? 0,
    replyBytes: 0,
    bufferBytes: input.snaplen ?? DEFAULT_SNAP_BYTES,
    sockets: Array.from({ length: taskCount }, (_, taskIndex) => captureSocket(input, taskIndex, ring)),
    capture: { fanout: input.PACKET_FANOUT ?? null, maxPackets: input['max-packets'] ?? 0 },
  }
}

function captureSocket(input: CaptureInput, taskIndex: number, ring: RingPlan | null): SocketPlan {
  const { protocol = 'all', SO_ATTACH_FILTER: filter } = input
  return {
    ...PLAIN_SOCKET,
    family: 'packet',
    packet: {
      device: input.dev === 'any' ? null : input.dev,
      protocol: typeof protocol === 'number' ? protocol : ETH_P[protocol],
      dgram: input.socket === 'dgram',
      snapBytes: input.snaplen ?? DEFAULT_SNAP_BYTES,
      ignoreOutgoing: input.PACKET_IGNORE_OUTGOING ?? false,
      ring,
    },
    taskIndex,
    address: 0,
    soRcvbuf: input.SO_RCVBUF === undefined ? 0 : Math.max(1, input.SO_RCVBUF),
    device: null,
    ...(filter === undefined ? {} : { filters: [filter], attachedFilter: 1 }),
  }
}

/** Keys that only one kind of ring has. */
const RING_KEYS = {
  'block-size': 'tpacket_v3',
  'retire-timeout': 'tpacket_v3',
  'frame-size': 'tpacket_v2',
  SO_RCVBUF: 'none',
} as const

function compileRing(
  input: CaptureInput,
  path: FaultPath,
  { env: { report }, sysctl }: AppSurroundings,
): RingPlan | null {
  const kind = input.ring ?? 'tpacket_v3'
  for (const [key, ring] of Object.entries(RING_KEYS)) {
    if (input[key as keyof typeof RING_KEYS] !== undefined && ring !== kind)
      report.warn([...path, key], `has no effect with ring: ${kind}`)
  }
  if (kind === 'none') {
    if (input.buffer !== undefined) report.warn([...path, 'buffer'], 'has no effect with ring: none; set SO_RCVBUF')
    if ((input.SO_RCVBUF ?? 0) > sysctl['net.core.rmem_max'])
      report.warn([...path, 'SO_RCVBUF'], `is cut to net.core.rmem_max, ${sysctl['net.core.rmem_max']}`)
    return null
  }
  const buffer = input.buffer ?? DEFAULT_BUFFER_BYTES
  const isBlocks = kind === 'tpacket_v3'
  const slotBytes = isBlocks
    ? (input['block-size'] ?? Math.min(DEFAULT_BLOCK_BYTES, 2 ** Math.floor(Math.log2(buffer))))
    : (input['frame-size'] ?? DEFAULT_FRAME_BYTES)
  if (isBlocks && Math.log2(slotBytes) % 1 !== 0) report.fault([...path, 'block-size'], 'a power of two')
  if (!isBlocks && slotBytes % FRAME_ALIGN !== 0) report.fault([...path, 'frame-size'], 'a multiple of 16')
  const slots = Math.floor(buffer / slotBytes)
  if (slots < 1)
    report.fault([...path, 'buffer'], `room for at least one ${isBlocks ? 'block' : 'slot'} of ${slotBytes} bytes`)
  return {
    version: isBlocks ? 3 : 2,
    slotBytes,
    slots: Math.max(1, slots),
    retirePs: input['retire-timeout'] ?? DEFAULT_RETIRE_PS,
  }
}
