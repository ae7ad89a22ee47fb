import type { HostPlan, Plan } from '@softnet/scenario/plan'
import { LINKTYPE_ETHERNET, pcapngInterfaceBlock, pcapngPacketBlock, pcapngSectionHeader } from '@softnet/wire'
import type { Model } from '../build/build-model.js'
import { Skb } from '../skb/components.js'
import { type PacketBytes, packetBytes } from './packet-bytes.js'
import { NO_TRACE, type TraceSink } from './trace-sink.js'

/** Which devices one capture records: `dev` is a device, a VLAN device (`eth0.100`) or `any`; null: on every host. */
export interface CaptureSpec {
  readonly host: string | null
  readonly dev: string
}

/** Captures of one run; an observer: the run is the same with and without it. */
export interface Capture {
  /** To be given to the model while it is built. */
  readonly sink: TraceSink
  /** Names the world the sink is called from; before anything runs. */
  attach(model: Pick<Model, 'world' | 'layout'>): void
  /**
   * pcapng bytes of capture `index` since the last call, in the order the tap saw them: of every packet seen strictly
   * before `upToPs`, which is a time the run has reached (Infinity at its end). The first call begins the section.
   */
  take(index: number, upToPs: number): Uint8Array[]
  /** What each capture has seen and not yet handed out, as plain data, for a checkpoint. */
  save(): CaptureState
  /** Goes on from what was saved by captures of the same devices. */
  restore(state: CaptureState): void
}

/** Where the captures of a run stand, one entry each; everything handed out before is in the files. */
export type CaptureState = readonly Pick<Recording, 'begun' | 'packets'>[]

/** A device as captures know it. */
interface TappedDevice {
  readonly host: string
  readonly name: string
  readonly label: string
}

interface TappedPacket {
  /** When the tap saw it, ps. */
  readonly timePs: number
  /** What is written as its time, ps: its receive stamp, or when the tap saw it. */
  readonly stampPs: number
  readonly cpu: number
  readonly interfaceId: number
  readonly packet: PacketBytes
}

/** One file in the making. */
interface Recording {
  readonly labels: readonly string[]
  begun: boolean
  packets: TappedPacket[]
}

const PS_PER_NS = 1000
/** Blocks are joined to chunks of about this size, so that a file is not written packet by packet. */
const CHUNK_BYTES = 1 << 20

function hostDevices(host: HostPlan, isOnly: boolean): TappedDevice[] {
  return host.devices.flatMap((device) =>
    [device.name, ...device.vlans.map((vlan) => `${device.name}.${vlan}`)].map((name) => ({
      host: host.name,
      name,
      label: isOnly ? name : `${host.name}/${name}`,
    })),
  )
}

/**
 * Records what `tcpdump` would show on devices: what a queueing discipline hands to the driver, and what is received,
 * behind driver, native XDP and GRO, so merged packets are one, and what ring, card or backlog lost is not there; with nanoseconds of simulated time since 1970, one
 * interface per device. Kernel: net/core/dev.c, __netif_receive_skb_core (ptype_all)
 */
export function createCapture(plan: Plan, specs: readonly CaptureSpec[]): Capture {
  // In the order of device entities: the layout numbers them so.
  const devices = plan.hosts.flatMap((host) => hostDevices(host, plan.hosts.length === 1))
  const recordings: Recording[] = []
  /** Per device: the recordings that want it, and its interface in each. */
  const wanted = devices.map((): { recording: Recording; interfaceId: number }[] => [])
  for (const spec of specs) {
    const labels: string[] = []
    const recording: Recording = { labels, begun: false, packets: [] }
    devices.forEach(({ host, name, label }, index) => {
      if (spec.host !== null && spec.host !== host) return
      if (spec.dev !== 'any' && spec.dev !== name) return
      wanted[index].push({ recording, interfaceId: labels.length })
      labels.push(label)
    })
    if (labels.length === 0) {
      const known = devices.map(({ host, name }) => `${host}/${name}`).join(', ')
      throw new Error(`capture of ${spec.host ?? '*'}/${spec.dev}: the devices are ${known}`)
    }
    recordings.push(recording)
  }
  let tap = (_cpu: number, _nowPs: number, _row: number, _isSent: boolean): void => {
    throw new Error('a capture must be attached to its model before the model runs')
  }
  return {
    sink: {
      ...NO_TRACE,
      on: true,
      tap: (cpu, nowPs, row) => tap(cpu, nowPs, row, false),
      tapOut: (cpu, nowPs, row) => tap(cpu, nowPs, row, true),
    },
    attach({ world, layout }) {
      const { dev, tstampPs } = world.columns(Skb)
      const encode = packetBytes(world)
      tap = (cpu, timePs, row, isSent) => {
        const takers = wanted[dev[row] - layout.firstDevice]
        if (takers.length === 0) return
        const packet = isSent ? encode.sent(row) : encode.received(row)
        // A stamp taken earlier is preferred to the clock. Kernel: net/packet/af_packet.c, tpacket_rcv
        const stampPs = !isSent && tstampPs[row] > 0 ? tstampPs[row] : timePs
        for (const { recording, interfaceId } of takers) {
          recording.packets.push({ timePs, stampPs, cpu, interfaceId, packet })
        }
      }
    },
    take: (index, upToPs) => takePackets(recordings[index], upToPs),
    save: () => recordings.map(({ begun, packets }) => ({ begun, packets: [...packets] })),
    restore(state) {
      recordings.forEach((recording, index) => {
        recording.begun = state[index].begun
        recording.packets = [...state[index].packets]
      })
    },
  }
}

function takePackets(recording: Recording, upToPs: number): Uint8Array[] {
  const blocks: Uint8Array[] = []
  if (!recording.begun) {
    recording.begun = true
    blocks.push(pcapngSectionHeader('softnet'))
    for (const name of recording.labels) blocks.push(pcapngInterfaceBlock({ name, linkType: LINKTYPE_ETHERNET }))
  }
  const due = recording.packets.filter(({ timePs }) => timePs < upToPs)
  recording.packets = recording.packets.filter(({ timePs }) => timePs >= upToPs)
  // CPUs run each with a clock of its own; sorting is stable, so packets of one CPU and time stay in order.
  due.sort((a, b) => a.timePs - b.timePs || a.cpu - b.cpu)
  for (const { stampPs, interfaceId, packet } of due) {
    const { bytes, originalBytes } = packet
    blocks.push(pcapngPacketBlock(interfaceId, Math.floor(stampPs / PS_PER_NS), bytes, { originalBytes }))
  }
  return joinBlocks(blocks)
}

function joinBlocks(blocks: readonly Uint8Array[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let first = 0; first < blocks.length; ) {
    let end = first
    let size = 0
    while (end < blocks.length && (end === first || size + blocks[end].length <= CHUNK_BYTES))
      size += blocks[end++].length
    const chunk = new Uint8Array(size)
    let at = 0
    for (; first < end; first++) {
      chunk.set(blocks[first], at)
      at += blocks[first].length
    }
    chunks.push(chunk)
  }
  return chunks
}
