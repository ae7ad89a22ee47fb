import type { Columns } from '@softnet/ecs'
import type { Model } from '../../build/build-model.js'
import { GRO } from '../../count/device.js'
import { DROP_PLACES } from '../../count/drops.js'
import { Cpu } from '../../cpu/components.js'
import { LOG_NAMES } from '../../link/components.js'
import type { Place } from '../../plugin/places.js'
import { Skb } from '../../skb/components.js'
import { TASK_KIND, Task } from '../../task/components.js'
import { NO_TRACE, type TraceSink } from '../trace-sink.js'
import { EventLog } from './event-log.js'
import { applyChange, type CounterChange, type CounterTrack, counterTrack } from './perfetto-counters.js'
import { type EventArgs, instantEvent, type Lane, nameEvents } from './perfetto-events.js'
import { LANE_NAMES, PerfettoLanes } from './perfetto-lanes.js'
import { type LinkLane, linkLanes, linkMetadata } from './perfetto-links.js'
import { PACKETS_PID, PerfettoPackets } from './perfetto-packets.js'
import { PerfettoPlugins } from './perfetto-plugins.js'
import { packetNamer, type TraceNames, traceNames } from './trace-names.js'
import { isSampled, TextChunks, type TraceRecorder, type TraceWindow } from './trace-window.js'
import { firstUnseenPs } from './unseen-frames.js'

type SkbColumns = Columns<(typeof Skb)['schema']>

/** Processes of devices and sockets follow those of the CPUs. */
const DEVICE_PID = 100_000
const SOCKETS_PID = 200_000
const PROTO_TCP = 6

const GRO_PLACE = { name: 'gro', place: 'gro_list' }

/** Names of everything that has a lane or a counter. */
function metadata(names: TraceNames): string[] {
  const events: string[] = []
  let order = 0
  for (const { index, name } of names.cpus.values()) {
    const pid = index + 1
    events.push(nameEvents({ pid, tid: 0 }, name, order++))
    LANE_NAMES.forEach((lane, tid) => {
      events.push(nameEvents({ pid, tid: tid + 1 }, lane, tid))
    })
  }
  const devices = [...new Set([...names.queues.values()].map(({ device }) => device))]
  devices.forEach((device, index) => {
    events.push(nameEvents({ pid: DEVICE_PID + index, tid: 0 }, device, order++))
    events.push(nameEvents({ pid: DEVICE_PID + index, tid: 1 }, 'NIC', 0))
  })
  if (names.sockets.size > 0) events.push(nameEvents({ pid: SOCKETS_PID, tid: 0 }, 'sockets', order++))
  events.push(nameEvents({ pid: PACKETS_PID, tid: 0 }, 'packets', order++))
  return events
}

class Tracks {
  readonly rings = new Map<number, CounterTrack>()
  readonly backlogs = new Map<number, CounterTrack>()
  readonly sockets = new Map<number, CounterTrack>()
  readonly drops = new Map<number, CounterTrack>()

  constructor(names: TraceNames, devicePid: (device: string) => number) {
    for (const [queue, { name, device }] of names.queues) {
      this.rings.set(queue, counterTrack(devicePid(device), `ring ${name}`, 'packets'))
    }
    for (const [cpu, { index }] of names.cpus) {
      this.backlogs.set(cpu, counterTrack(index + 1, 'backlog', 'packets'))
      this.drops.set(cpu, counterTrack(index + 1, 'dropped', 'frames'))
    }
    for (const [wire, device] of names.wires) {
      this.drops.set(wire, counterTrack(devicePid(device), `dropped by ${device}`, 'frames'))
    }
    for (const [sock, address] of names.sockets) {
      this.sockets.set(sock, counterTrack(SOCKETS_PID, `socket ${address}`, 'datagrams'))
    }
  }

  all(): CounterTrack[] {
    return [...this.rings.values(), ...this.backlogs.values(), ...this.sockets.values()]
  }
}

/** Records a run in the trace-event format that Perfetto and chrome://tracing read. */
class PerfettoRecorder implements TraceRecorder {
  readonly sink: TraceSink
  readonly window: TraceWindow
  readonly head = null
  events = 0
  readonly #log = new EventLog<string | CounterChange>()
  readonly #out = new TextChunks()
  readonly #names: TraceNames
  readonly #lanes: PerfettoLanes
  readonly #packets: PerfettoPackets
  readonly #plugins: PerfettoPlugins
  readonly #tracks: Tracks
  readonly #links: ReadonlyMap<number, LinkLane>
  readonly #model: Model
  readonly #unseenPs: () => number
  readonly #nameOf: (skb: number) => string
  readonly #skb: SkbColumns
  readonly #context: Uint8Array
  readonly #devicePids = new Map<string, number>()
  /** When each packet that waits in a socket was queued. */
  readonly #queuedPs = new Map<number, number>()
  /** When the message came that a CPU is at: a packet for a socket, that another CPU has paid for. */
  readonly #arrived = new Map<number, number>()
  #begun = false
  #isFirst = true
  #isClosed = false

  constructor(model: Model, window: TraceWindow) {
    this.#model = model
    this.window = window
    this.#names = traceNames(model)
    for (const { device } of this.#names.queues.values()) {
      if (!this.#devicePids.has(device)) this.#devicePids.set(device, DEVICE_PID + this.#devicePids.size)
    }
    const write = (owner: number, timePs: number, text: string) => this.#add(owner, timePs, text)
    const { kind } = model.world.columns(Task)
    this.#lanes = new PerfettoLanes(this.#names, window, write, (task) => kind[task] !== TASK_KIND.ksoftirqd)
    this.#packets = new PerfettoPackets(window, write)
    this.#plugins = new PerfettoPlugins(model, (owner, { isOwn, place }) =>
      isOwn || place.device === '' ? this.#pidOf(owner) : this.#pidOfDevice(place),
    )
    this.#tracks = new Tracks(this.#names, (device) => this.#devicePids.get(device) ?? DEVICE_PID)
    this.#links = linkLanes(model, this.#names, (device) => this.#devicePids.get(device) ?? DEVICE_PID)
    this.#unseenPs = firstUnseenPs(model)
    this.#nameOf = packetNamer(model)
    this.#skb = model.world.columns(Skb)
    this.#context = model.world.columns(Cpu).context
    this.sink = this.#makeSink()
  }

  take(upToPs: number): string[] {
    this.#begin()
    this.#emit(Math.min(upToPs, this.#unseenPs(), this.#lanes.heldSincePs))
    return this.#out.take()
  }

  close(endPs: number): string[] {
    this.#begin()
    this.#lanes.close(Math.min(endPs, this.window.toPs))
    this.#packets.close(Math.min(endPs, this.window.toPs))
    this.#isClosed = true
    this.#emit(Number.POSITIVE_INFINITY)
    this.#out.add('\n]}\n')
    return this.#out.take()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    const { plan } = this.#model
    const about = { generator: 'softnet', scenario: plan.name, kernel: plan.kernel, seed: plan.seed }
    this.#out.add(`{"displayTimeUnit":"ns","otherData":${JSON.stringify(about)},"traceEvents":[\n`)
    for (const event of [...metadata(this.#names), ...linkMetadata(this.#links)]) this.#line(event)
    for (const track of this.#tracks.all()) {
      const text = applyChange({ track }, this.window.fromPs, false)
      if (text !== null) this.#line(text)
    }
  }

  #emit(upToPs: number): void {
    const sampled = this.window.sample !== 1
    this.#log.take(upToPs, (item, timePs) => {
      const text = typeof item === 'string' ? item : applyChange(item, timePs, sampled)
      if (text !== null) this.#line(text)
    })
  }

  #line(text: string): void {
    this.#out.add(this.#isFirst ? text : `,\n${text}`)
    this.#isFirst = false
  }

  #add(owner: number, timePs: number, item: string | CounterChange): void {
    if (this.#isClosed) return
    this.events++
    this.#log.add(timePs, owner, item)
  }

  #isLive(timePs: number): boolean {
    return timePs >= this.window.fromPs && timePs < this.window.toPs
  }

  #count(owner: number, atPs: number, track: CounterTrack | undefined, by: number): void {
    if (track === undefined || this.#isClosed) return
    if (this.#isLive(atPs)) this.#add(owner, atPs, { track, by })
    else if (atPs < this.window.fromPs) track.value += by
  }

  /** Process of a CPU, or of the device at the end of a wire. */
  #pidOf(owner: number): number {
    const cpu = this.#names.cpus.get(owner)
    if (cpu !== undefined) return cpu.index + 1
    return this.#devicePids.get(this.#names.wires.get(owner) ?? '') ?? DEVICE_PID
  }

  /** Process of the device that a queue or NAPI instance belongs to. */
  #pidOfDevice({ host, device }: Place): number {
    const found = this.#model.layout.hosts
      .find(({ plan }) => plan.name === host)
      ?.devices.find(({ plan }) => plan.name === device)
    const name = this.#names.queues.get(found?.queues[0] ?? 0)?.device
    return this.#devicePids.get(name ?? '') ?? DEVICE_PID
  }

  #pluginRun(owner: number, atPs: number, plugin: number): void {
    if (this.#isClosed || atPs >= this.window.toPs) return
    this.#plugins.changed(plugin, owner, atPs, (track, to) => {
      if (this.#isLive(atPs)) this.#add(owner, atPs, { track, to })
    })
  }

  #link(cpu: number, nowPs: number, dev: number, name: string, args?: EventArgs): void {
    const lane = this.#links.get(dev)
    if (lane === undefined || !this.#isLive(nowPs)) return
    const number = this.#names.cpus.get(cpu)?.number ?? 0
    this.#add(cpu, nowPs, instantEvent(lane, name, nowPs, { cpu: number, ...args }))
  }

  #makeSink(): TraceSink {
    const context = this.#context
    const lanes = this.#lanes
    return {
      ...NO_TRACE,
      on: true,
      charge: (cpu, startPs, endPs, at, stage, units) => {
        if (!this.#isClosed) lanes.charge(cpu, startPs, endPs, at, stage, units)
      },
      irqEntry: (cpu, nowPs) => lanes.irqEntry(cpu, nowPs),
      irqExit: (cpu, nowPs, kind, id) => lanes.irqExit(cpu, nowPs, kind, id),
      softirqEntry: (cpu, nowPs, _vector, inKsoftirqd) => lanes.softirqEntry(cpu, nowPs, inKsoftirqd),
      softirqExit: (cpu, nowPs, vector) => lanes.softirqExit(cpu, nowPs, vector),
      pollBegin: (cpu, nowPs) => lanes.pollBegin(cpu, nowPs, context[cpu]),
      napiPoll: (cpu, nowPs, napi, work, budget) => lanes.pollEnd(cpu, nowPs, napi, work, budget),
      schedSwitch: (cpu, nowPs, next) => lanes.schedSwitch(cpu, nowPs, next),
      pluginRun: (owner, atPs, plugin) => this.#pluginRun(owner, atPs, plugin),
      linkEvent: (cpu, nowPs, dev, what) => this.#link(cpu, nowPs, dev, LOG_NAMES[what] ?? `event ${what}`),
      xmitTimeout: (cpu, nowPs, dev, queue) => this.#link(cpu, nowPs, dev, 'net_dev_xmit_timeout', { queue }),
      ...this.#queueCalls(),
      ...this.#pathCalls(),
      ...this.#endCalls(),
    }
  }

  /** Serial number of a packet that is followed; 0 if it is not, or not now. */
  #serialOf(timePs: number, skb: number): number {
    const { serial, arrivalPs } = this.#skb
    if (!this.#isLive(timePs) || this.#isClosed || !isSampled(serial[skb], this.window.sample)) return 0
    this.#packets.begin(serial[skb], arrivalPs[skb], () => this.#nameOf(skb))
    return serial[skb]
  }

  /** Joining and leaving of rings, backlogs and sockets. */
  #queueCalls(): Partial<TraceSink> {
    const serialOf = (timePs: number, skb: number) => this.#serialOf(timePs, skb)
    const { rings, backlogs, sockets } = this.#tracks
    const packets = this.#packets
    const leave = (cpu: number, nowPs: number, skb: number) => {
      const serial = serialOf(nowPs, skb)
      if (serial === 0) return
      packets.waitUntil(serial, cpu, nowPs)
      this.#lanes.follow(cpu)
    }
    return {
      ringFill: (queue, atPs, skb) => {
        this.#count(queue, atPs, rings.get(queue), 1)
        const serial = serialOf(atPs, skb)
        const place = this.#names.queues.get(queue)?.name ?? 'ring'
        if (serial !== 0) packets.waitFrom(serial, atPs, { name: 'rx ring', place })
      },
      ringTake: (cpu, nowPs, skb, queue) => {
        this.#count(queue, nowPs, rings.get(queue), -1)
        leave(cpu, nowPs, skb)
      },
      backlogEnqueue: (cpu, atPs, skb) => {
        this.#count(cpu, atPs, backlogs.get(cpu), 1)
        const serial = serialOf(atPs, skb)
        const place = this.#names.cpus.get(cpu)?.name ?? 'CPU'
        if (serial !== 0) packets.waitFrom(serial, atPs, { name: 'backlog', place })
      },
      backlogTake: (cpu, nowPs, skb) => {
        this.#count(cpu, nowPs, backlogs.get(cpu), -1)
        leave(cpu, nowPs, skb)
      },
      sockArrive: (cpu, atPs) => {
        this.#arrived.set(cpu, atPs)
      },
      sockEnqueue: (cpu, nowPs, skb, sock) => {
        // What comes from another CPU was queued and paid for there.
        const arrivedPs = this.#arrived.get(cpu)
        this.#arrived.delete(cpu)
        const atPs = arrivedPs ?? nowPs
        this.#queuedPs.set(skb, atPs)
        this.#count(cpu, atPs, sockets.get(sock), 1)
        const serial = serialOf(atPs, skb)
        if (serial === 0) return
        if (arrivedPs === undefined) packets.point(serial, cpu, nowPs, this.#lanes.lastSlice(cpu, nowPs))
        packets.waitFrom(serial, atPs, { name: 'socket', place: this.#names.sockets.get(sock) ?? 'socket' })
      },
      sockRead: (cpu, nowPs, skb, sock) => {
        // CPUs of one partition step in turn: a reader may be less than a step behind the CPU that queued.
        this.#count(cpu, Math.max(nowPs, this.#queuedPs.get(skb) ?? 0), sockets.get(sock), -1)
        this.#queuedPs.delete(skb)
        leave(cpu, nowPs, skb)
      },
    }
  }

  /** What is done with a packet between two queues. */
  #pathCalls(): Partial<TraceSink> {
    const serialOf = (timePs: number, skb: number) => this.#serialOf(timePs, skb)
    const packets = this.#packets
    const { ipWord } = this.#skb
    /** Packet that each CPU's napi_gro_receive has begun with. */
    const inGro = new Map<number, number>()
    const point = (cpu: number, nowPs: number, skb: number): number => {
      const serial = serialOf(nowPs, skb)
      if (serial !== 0) packets.point(serial, cpu, nowPs, this.#lanes.lastSlice(cpu, nowPs))
      return serial
    }
    return {
      groReceive: (cpu, nowPs, _napi, skb) => {
        inGro.set(cpu, skb)
        const serial = point(cpu, nowPs, skb)
        if (serial !== 0) packets.waitFrom(serial, nowPs, GRO_PLACE)
      },
      groResult: (cpu, nowPs, skb, result) => {
        inGro.delete(cpu)
        // Nothing asks for the single segments of a TCP packet again.
        const isGone = (result === GRO.merged || result === GRO.mergedFree) && (ipWord[skb] & 0xff) === PROTO_TCP
        const serial = isGone ? point(cpu, nowPs, skb) : 0
        if (serial !== 0) packets.end(serial, cpu, nowPs, 'merged by GRO')
      },
      merge: (cpu, nowPs, _head, skb) => {
        // What GRO joins is told by its result; a fragment ends in its datagram.
        if (inGro.get(cpu) === skb) return
        const serial = serialOf(nowPs, skb)
        if (serial !== 0) packets.end(serial, cpu, nowPs, 'put together with others')
      },
      steer: (cpu, nowPs, skb) => {
        const serial = point(cpu, nowPs, skb)
        if (serial !== 0) packets.waitUntil(serial, cpu, nowPs)
      },
      netifReceiveSkb: (cpu, nowPs, skb) => {
        const serial = serialOf(nowPs, skb)
        if (serial !== 0) packets.waitUntil(serial, cpu, nowPs)
      },
      sockSend: (cpu, nowPs, skb) => {
        point(cpu, nowPs, skb)
      },
    }
  }

  /** The ways a packet's way ends; segments that are still chained to a packet end with it. */
  #endCalls(): Partial<TraceSink> {
    const { frames, serial: serials, fragHead, next } = this.#skb
    const endOne = (cpu: number, nowPs: number, skb: number, how: string) => {
      const isForeign = this.#arrived.delete(cpu)
      const serial = this.#serialOf(nowPs, skb)
      if (serial === 0) return
      if (!isForeign) this.#packets.point(serial, cpu, nowPs, this.#lanes.lastSlice(cpu, nowPs))
      this.#packets.end(serial, cpu, nowPs, how)
      this.#lanes.unfollow(cpu)
    }
    const end = (cpu: number, nowPs: number, skb: number, how: string) => {
      for (let segment = fragHead[skb]; segment !== 0; segment = next[segment]) endOne(cpu, nowPs, segment, how)
      endOne(cpu, nowPs, skb, how)
    }
    return {
      delivered: (cpu, nowPs, skb) => endOne(cpu, nowPs, skb, 'delivered'),
      consumeSkb: (cpu, nowPs, skb) => end(cpu, nowPs, skb, 'consumed'),
      sent: (cpu, nowPs, skb) => end(cpu, nowPs, skb, 'sent'),
      txPost: (cpu, nowPs, skb) => end(cpu, nowPs, skb, 'sent'),
      kfreeSkb: (cpu, nowPs, skb, id) => {
        this.#drop(cpu, this.#lanes.laneOf(cpu, this.#context[cpu]), nowPs, serials[skb], id, frames[skb])
        end(cpu, nowPs, skb, dropText(id))
      },
      frameDrop: (cpu, atPs, skb, id, queue) => {
        const device = this.#names.queues.get(queue)?.device ?? ''
        this.#drop(cpu, this.#nicLane(device), atPs, serials[skb], id, 1)
        const serial = this.#serialOf(atPs, skb)
        if (serial !== 0) this.#packets.end(serial, cpu, atPs, dropText(id))
      },
      wireDrop: (wire, atPs, serial, id) => {
        this.#drop(wire, this.#nicLane(this.#names.wires.get(wire) ?? ''), atPs, serial, id, 1)
      },
    }
  }

  #nicLane(device: string): Lane {
    return { pid: this.#devicePids.get(device) ?? DEVICE_PID, tid: 1 }
  }

  #drop(owner: number, lane: Lane, atPs: number, serial: number, id: number, frames: number): void {
    this.#count(owner, atPs, this.#tracks.drops.get(owner), frames)
    if (!this.#isLive(atPs) || !isSampled(serial, this.window.sample)) return
    const { reason, where } = DROP_PLACES[id]
    this.#add(owner, atPs, instantEvent(lane, `drop ${reason}`, atPs, { reason, where, serial, frames }))
  }
}

function dropText(id: number): string {
  const { reason, where } = DROP_PLACES[id]
  return `dropped: ${reason} in ${where}`
}

/** What records a model for Perfetto, from before it runs. */
export function perfettoRecorder(model: Model, window: TraceWindow): TraceRecorder {
  return new PerfettoRecorder(model, window)
}
