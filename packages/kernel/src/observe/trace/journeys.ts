import type { Columns } from '@softnet/ecs'
import type { Journey, JourneyQuery } from '@softnet/scenario/plan'
import { formatIpv4 } from '@softnet/wire'
import type { Model } from '../../build/build-model.js'
import { GRO } from '../../count/device.js'
import { DROP_PLACES } from '../../count/drops.js'
import { Cpu, Owner } from '../../cpu/components.js'
import { RxQueue } from '../../nic/components.js'
import { Skb } from '../../skb/components.js'
import { Flow } from '../../traffic/components.js'
import { Draft } from '../../wire/components.js'
import { IRQ_KIND, lateSink, NO_TRACE, type TraceSink } from '../trace-sink.js'
import { CpuHistory } from './cpu-history.js'
import { FifoTimes } from './fifo-times.js'
import { JourneyChoice } from './journey-choice.js'
import { JourneyTrail, nsOf, type TrailEnd, type TrailStart } from './journey-trail.js'
import { WayOut } from './journey-way-out.js'
import { packetNamer, type TraceNames, traceNames } from './trace-names.js'

const PROTO_TCP = 6
const EXAMPLES = 4
/** Sources of interrupts other than devices, as keys of `CpuHistory.irqs`. */
const sourceOf = (kind: number, id: number) => (kind === IRQ_KIND.device ? id : -kind)
const IRQ_NAMES: Readonly<Record<number, string>> = {
  [IRQ_KIND.callFunction]: 'sysvec_call_function_single',
  [IRQ_KIND.reschedule]: 'sysvec_reschedule_ipi',
  [IRQ_KIND.localTimer]: 'sysvec_apic_timer_interrupt',
}
const GRO_WORDS: Readonly<Record<number, string>> = {
  [GRO.held]: 'held for segments that may follow',
  [GRO.normal]: 'goes on as it is',
}

/** Ways of packets through a model. */
export interface Journeys {
  /** To be given to the model while it is built. */
  readonly sink: TraceSink
  /** Names the model the sink is called from; before anything runs. */
  attach(model: Model): JourneyRecorder
}

/** Follows the packets that are asked for. */
export class JourneyRecorder {
  readonly sink: TraceSink
  readonly #choice: JourneyChoice
  readonly #names: TraceNames
  readonly #skb: Columns<(typeof Skb)['schema']>
  readonly #context: Uint8Array
  readonly #nameOf: (skb: number) => string
  readonly #model: Model
  readonly #histories = new Map<number, CpuHistory>()
  readonly #trails = new Map<number, JourneyTrail>()
  /** Trails of packets that have become part of the one with this serial number; chained ones may be taken apart again. */
  readonly #parts = new Map<number, { readonly trail: JourneyTrail; readonly isChained: boolean }[]>()
  readonly #queues = new Map<string, FifoTimes>()
  readonly #vectorOf: Int32Array
  /** Last wake-up of each task and last switch to it. */
  readonly #wakes = new Map<number, { readonly atPs: number; readonly cpu: number }>()
  readonly #switches = new Map<number, { readonly atPs: number; readonly task: number }>()
  /** Packet that each CPU's napi_gro_receive has begun with. */
  readonly #inGro = new Map<number, number>()
  /** When the message came that a CPU is at. */
  readonly #arrived = new Map<number, number>()
  readonly #partition: Int32Array
  readonly #wayOut: WayOut
  /** Packet that each CPU has met last: its row, and its number if it is still there. */
  readonly #last = new Map<number, { readonly skb: number; readonly packet: number }>()
  /** A few of the packets that nobody asked for. */
  readonly #examples = new Set<string>()
  #frames = 0

  constructor(model: Model, query: JourneyQuery) {
    this.#model = model
    this.#choice = new JourneyChoice(query)
    this.#names = traceNames(model)
    this.#skb = model.world.columns(Skb)
    this.#context = model.world.columns(Cpu).context
    this.#vectorOf = model.world.columns(RxQueue).vector
    this.#partition = model.world.columns(Owner).partition
    this.#nameOf = packetNamer(model)
    for (const cpu of model.layout.cpus) this.#histories.set(cpu, new CpuHistory())
    this.#wayOut = new WayOut(model, this.#names, {
      trails: this.#trails,
      history: (cpu) => this.#of(cpu),
      fifo: (key) => this.#fifo(key),
      number: (cpu) => this.#number(cpu),
      meet: (cpu, nowPs, skb, visit) => this.#meet(cpu, nowPs, skb, visit),
      meetLast: (cpu, nowPs) => this.#meetLast(cpu, nowPs),
      leave: (cpu, nowPs, skb, queue) => this.#leave(cpu, nowPs, skb, queue, () => {}),
      end: (trail, end) => this.#end(trail, end),
    })
    this.sink = {
      ...NO_TRACE,
      on: true,
      ...this.#cpuCalls(),
      ...this.#queueCalls(),
      ...this.#pathCalls(),
      ...this.#endCalls(),
      ...this.#wayOut.calls(),
    }
  }

  /** True once nothing more can be found. */
  get isComplete(): boolean {
    return this.#choice.isComplete
  }

  /** Ways that are over, and those that are not yet as far as they are known; the run is at `nowPs`. */
  finish(nowPs: number): {
    readonly journeys: readonly Journey[]
    readonly drops: JourneyChoice['drops']
    readonly examples: readonly string[]
    readonly nearest: number | null
  } {
    if (!this.isComplete) {
      for (const trail of [...this.#trails.values()]) {
        this.#end(trail, { fate: 'in_flight', atPs: Math.max(nowPs, trail.lastPs), cpu: null })
      }
    }
    const { journeys, drops, nearest } = this.#choice
    const sorted = [...journeys].sort((a, b) => a.arrival_ns - b.arrival_ns || a.packet - b.packet)
    return { journeys: sorted, drops, examples: [...this.#examples], nearest }
  }

  #of(cpu: number): CpuHistory {
    const history = this.#histories.get(cpu)
    if (history === undefined) throw new Error(`CPU ${cpu} is not in the trace's model`)
    return history
  }

  #number(cpu: number): number {
    return this.#names.cpus.get(cpu)?.number ?? 0
  }

  #fifo(key: string): FifoTimes {
    const found = this.#queues.get(key)
    if (found !== undefined) return found
    const fresh = new FifoTimes()
    this.#queues.set(key, fresh)
    return fresh
  }

  /** The packet's own trail, begun here if it is wanted and new; `at`: device it came in on, where its row does not say. */
  #own(skb: number, at?: string): JourneyTrail | undefined {
    const { serial, arrivalPs, wireBytes, len, saddr, daddr, ports, dev } = this.#skb
    const packet = serial[skb]
    const found = this.#trails.get(packet)
    if (found !== undefined || this.#choice.isComplete || this.#wayOut.isElsewhere(packet)) return found
    const flow = () => ({
      ...{ saddr: saddr[skb], daddr: daddr[skb], sport: ports[skb] >>> 16, dport: ports[skb] & 0xffff },
    })
    if (!this.#choice.wants(packet, flow)) {
      if (this.#examples.size < EXAMPLES) this.#examples.add(this.#nameOf(skb))
      return undefined
    }
    const device = at ?? this.#names.devices.get(dev[skb]) ?? ''
    const what = this.#nameOf(skb)
    const start = { packet, what, at: device, bytes: wireBytes[skb] || len[skb] }
    const made = this.#wayOut.takeMade(packet)
    if (made === undefined) return this.#begin({ ...start, arrivalPs: arrivalPs[skb], isMade: packet < 0 })
    const trail = this.#begin({ ...start, arrivalPs: made.atPs, isMade: true })
    trail.cpu = made.cpu
    trail.seen = made.seen
    return trail
  }

  #begin(start: TrailStart): JourneyTrail {
    const trail = new JourneyTrail(start)
    this.#trails.set(start.packet, trail)
    return trail
  }

  /** Trails of a packet and of those that have become part of it. */
  #trailsOf(skb: number): JourneyTrail[] {
    const own = this.#own(skb)
    const parts = this.#parts.get(this.#skb.serial[skb])
    if (parts === undefined) return own === undefined ? [] : [own]
    // Segments that are taken apart again go on by themselves.
    const chained = this.#skb.fragHead[skb] !== 0
    const following = parts
      .filter(({ trail, isChained }) => (chained || !isChained) && this.#trails.get(trail.packet) === trail)
      .map(({ trail }) => trail)
    return own === undefined ? following : [own, ...following]
  }

  /** Only the head of a chain goes to another partition: its segments are one packet from then on. */
  #unchain(skb: number): void {
    const packet = this.#skb.serial[skb]
    const parts = this.#parts.get(packet)
    if (parts !== undefined)
      this.#parts.set(
        packet,
        parts.map(({ trail }) => ({ trail, isChained: false })),
      )
  }

  #end(trail: JourneyTrail, end: TrailEnd): void {
    this.#trails.delete(trail.packet)
    const host = this.#model.layout.hosts.length === 1 || trail.cpu === 0 ? null : this.#names.cpus.get(trail.cpu)?.host
    this.#choice.keep(trail.end({ ...end, host: end.cpu === null ? null : (host ?? null) }))
  }

  /** The CPU does something with a packet: what it did for it up to now goes to its trails. */
  #meet(cpu: number, nowPs: number, skb: number, visit: (trail: JourneyTrail) => void): void {
    const history = this.#of(cpu)
    const context = this.#context[cpu]
    for (const trail of this.#trailsOf(skb)) {
      if (trail.cpu !== 0 && trail.cpu !== cpu) {
        // It came as a message: whatever the CPU is in has nothing to do with it.
        this.#transfer(trail, cpu, nowPs)
      } else {
        // What lists took while it waited for others, or for an address, was not for it.
        const isListed = trail.wait?.queue !== 'neighbour' && trail.wait?.queue !== 'reassembly'
        const calls = trail.cpu === cpu ? history.callsSince(trail.seen, context, isListed) : []
        trail.endWait(calls[0]?.startPs ?? nowPs, null)
        trail.within(this.#number(cpu), history.frames(context))
        trail.calls(calls)
      }
      this.#seen(trail, cpu)
      visit(trail)
    }
    this.#turnFrom(cpu, skb)
  }

  /** What the CPU does from now on is for another packet. */
  #turnFrom(cpu: number, skb: number): void {
    this.#of(cpu).meet()
    this.#last.set(cpu, { skb, packet: this.#skb.serial[skb] })
  }

  /** What the CPU has done up to now was for the packet it has met last, if it is still at that. */
  #meetLast(cpu: number, nowPs: number): void {
    const last = this.#last.get(cpu)
    const trail = last === undefined ? undefined : this.#trails.get(last.packet)
    if (last === undefined || trail?.wait !== null || this.#skb.serial[last.skb] !== last.packet) return
    this.#meet(cpu, nowPs, last.skb, () => {})
  }

  /** The message with the packet has come to `cpu`. */
  #transfer(trail: JourneyTrail, cpu: number, atPs: number): void {
    if (trail.wait?.queue === 'cache line') trail.wait = { ...trail.wait, place: `to CPU ${this.#number(cpu)}` }
    trail.endWait(atPs, null)
  }

  /** Charges up to now are known. */
  #seen(trail: JourneyTrail, cpu: number): void {
    trail.cpu = cpu
    trail.seen = this.#of(cpu).charges
  }

  /** A packet leaves the queue it waited in, on `cpu`. */
  #leave(
    cpu: number,
    nowPs: number,
    skb: number,
    queue: FifoTimes,
    visit: (trail: JourneyTrail, fromPs: number) => void,
  ): void {
    const history = this.#of(cpu)
    for (const trail of this.#trailsOf(skb)) {
      const fromPs = trail.wait?.fromPs ?? nowPs
      trail.endWait(nowPs, queue.since(fromPs))
      visit(trail, fromPs)
      trail.within(this.#number(cpu), history.frames(this.#context[cpu]))
      this.#seen(trail, cpu)
    }
    queue.take(nowPs)
    this.#turnFrom(cpu, skb)
  }

  #cpuCalls(): Partial<TraceSink> {
    const { tasks, vectors, napis } = this.#names
    const id = () => ++this.#frames
    return {
      charge: (cpu, startPs, endPs, context, stage, units) =>
        this.#of(cpu).charge(startPs, endPs, context, stage, units),
      irqEntry: (cpu, nowPs, kind, source) => {
        const vector = kind === IRQ_KIND.device ? vectors.get(source) : undefined
        const name = vector === undefined ? IRQ_NAMES[kind] : `handle_irq_event ${vector.name}`
        this.#of(cpu).irqEntry({ id: id(), name: name ?? 'handle_irq_event', startPs: nowPs, context: 'hardirq' })
      },
      irqExit: (cpu, nowPs, kind, source) => this.#of(cpu).irqExit(sourceOf(kind, source), nowPs),
      softirqEntry: (cpu, nowPs, vector, inKsoftirqd) => this.#of(cpu).softirqEntry(id(), nowPs, vector, inKsoftirqd),
      softirqExit: (cpu) => this.#of(cpu).softirqExit(),
      pollBegin: (cpu, nowPs, napi) => {
        const device = napis.get(napi) ?? null
        const name = device === null ? 'process_backlog' : `napi_poll ${device}`
        this.#of(cpu).pollBegin(id(), nowPs, name, this.#context[cpu])
      },
      napiPoll: (cpu) => this.#of(cpu).pollEnd(),
      schedSwitch: (cpu, nowPs, next) => {
        if (this.#switches.get(cpu)?.task === next) return
        this.#switches.set(cpu, { atPs: nowPs, task: next })
        const name = `task ${tasks.get(next)?.comm ?? ''}`
        this.#of(cpu).task = next === 0 ? null : { id: id(), name, startPs: nowPs, context: 'task' }
      },
      schedWakeup: (cpu, nowPs, task) => {
        this.#wakes.set(task, { atPs: nowPs, cpu })
      },
    }
  }

  /** The last handler of a source on a CPU, if it came while the packet waited. */
  #irqSince(trail: JourneyTrail, cpu: number, source: number, fromPs: number): void {
    const irq = this.#of(cpu).irqs.get(source)
    if (irq === undefined || irq.startPs < fromPs) return
    const times = { at_ns: nsOf(irq.startPs), took_ns: nsOf(irq.endPs - irq.startPs) }
    trail.event({
      kind: 'call',
      ...times,
      cpu: this.#number(cpu),
      context: 'hardirq',
      name: irq.name,
      note: 'meanwhile',
    })
  }

  /** The wake-up of the task on a CPU and the switch to it, if they came while the packet waited. */
  #wakeSince(trail: JourneyTrail, cpu: number, fromPs: number): void {
    const current = this.#switches.get(cpu)
    if (current === undefined) return
    const wake = this.#wakes.get(current.task)
    const comm = this.#names.tasks.get(current.task)?.comm ?? 'the reader'
    if (wake !== undefined && wake.atPs >= fromPs) trail.note(wake.atPs, this.#number(wake.cpu), `${comm} is woken`)
    if (current.atPs >= fromPs) trail.note(current.atPs, this.#number(cpu), `switch to ${comm}`)
  }

  #queueCalls(): Partial<TraceSink> {
    const { queues, cpus, sockets } = this.#names
    const { arrivalPs } = this.#skb
    return {
      ringFill: (queue, atPs, skb) => {
        const place = queues.get(queue)
        const trail = this.#own(skb, place?.device)
        if (trail === undefined) return
        trail.wait = { queue: 'DMA', place: place?.device ?? '', fromPs: arrivalPs[skb] }
        trail.endWait(atPs, null)
        trail.wait = { queue: 'rx ring', place: place?.name ?? '', fromPs: atPs }
      },
      ringTake: (cpu, nowPs, skb, queue) =>
        this.#leave(cpu, nowPs, skb, this.#fifo(`ring ${queue}`), (trail, fromPs) =>
          this.#irqSince(trail, cpu, this.#vectorOf[queue], fromPs),
        ),
      backlogEnqueue: (cpu, atPs, skb) => {
        for (const trail of this.#trailsOf(skb)) {
          if (trail.wait?.queue === 'cache line') this.#transfer(trail, cpu, atPs)
          trail.wait = { queue: 'backlog', place: cpus.get(cpu)?.name ?? '', fromPs: atPs }
        }
      },
      backlogTake: (cpu, nowPs, skb) =>
        this.#leave(cpu, nowPs, skb, this.#fifo(`backlog ${cpu}`), (trail, fromPs) =>
          this.#irqSince(trail, cpu, -IRQ_KIND.callFunction, fromPs),
        ),
      sockSend: (cpu, nowPs, skb) => {
        this.#meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'cache line', place: '', fromPs: nowPs }
        })
        this.#unchain(skb)
      },
      sockArrive: (cpu, atPs) => {
        this.#arrived.set(cpu, atPs)
      },
      sockEnqueue: (cpu, nowPs, skb, sock) => {
        const place = sockets.get(sock) ?? ''
        const atPs = this.#arrived.get(cpu)
        this.#arrived.delete(cpu)
        if (atPs === undefined) {
          this.#meet(cpu, nowPs, skb, (trail) => {
            trail.wait = { queue: 'socket', place, fromPs: nowPs }
          })
          return
        }
        for (const trail of this.#trailsOf(skb)) {
          this.#transfer(trail, cpu, atPs)
          trail.wait = { queue: 'socket', place, fromPs: atPs }
        }
      },
      sockRead: (cpu, nowPs, skb, sock) =>
        this.#leave(cpu, nowPs, skb, this.#fifo(`socket ${sock}`), (trail, fromPs) =>
          this.#wakeSince(trail, cpu, fromPs),
        ),
    }
  }

  #pathCalls(): Partial<TraceSink> {
    const { serial, ipWord } = this.#skb
    return {
      groReceive: (cpu, nowPs, _napi, skb) => {
        this.#inGro.set(cpu, skb)
        this.#meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'gro', place: 'rx_list', fromPs: nowPs }
        })
      },
      groResult: (cpu, nowPs, skb, result) => {
        this.#inGro.delete(cpu)
        const trail = this.#trails.get(serial[skb])
        // The list that it completed may have gone up already, and the packet with it.
        if (trail !== undefined && trail.wait?.queue === 'gro') {
          trail.wait = null
          trail.calls(this.#of(cpu).callsSince(trail.seen, this.#context[cpu]))
          const words = GRO_WORDS[result]
          if (words !== undefined) trail.remark(words)
          this.#seen(trail, cpu)
          trail.wait = { queue: 'gro', place: result === GRO.normal ? 'rx_list' : 'gro_list', fromPs: nowPs }
        }
        this.#of(cpu).meet()
      },
      merge: (cpu, nowPs, head, skb) => {
        const isGro = this.#inGro.get(cpu) === skb
        const isChained = isGro && (ipWord[skb] & 0xff) !== PROTO_TCP
        const into = serial[head]
        this.#meet(cpu, nowPs, skb, (trail) => {
          trail.note(nowPs, this.#number(cpu), `${isGro ? 'merged into' : 'put together with'} packet ${into}`)
          trail.mergedInto = into
          this.#parts.set(into, [...(this.#parts.get(into) ?? []), { trail, isChained }])
          trail.wait = isGro
            ? { queue: 'gro', place: 'gro_list', fromPs: nowPs }
            : { queue: 'reassembly', place: '', fromPs: nowPs }
        })
      },
      fragQueue: (cpu, nowPs, skb) =>
        this.#meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'reassembly', place: '', fromPs: nowPs }
        }),
      steer: (cpu, nowPs, skb, target) => {
        this.#meet(cpu, nowPs, skb, (trail) => {
          trail.note(nowPs, this.#number(cpu), `steered to CPU ${this.#number(target)}`)
          trail.wait = target === cpu ? null : { queue: 'cache line', place: '', fromPs: nowPs }
        })
        if (this.#partition[cpu] !== this.#partition[target]) this.#unchain(skb)
      },
      netifReceiveSkb: (cpu, nowPs, skb) => this.#meet(cpu, nowPs, skb, () => {}),
    }
  }

  #endCalls(): Partial<TraceSink> {
    const { serial, fragHead, next } = this.#skb
    const end = (cpu: number, nowPs: number, skb: number, how: Omit<TrailEnd, 'atPs' | 'cpu'>) => {
      this.#arrived.delete(cpu)
      const ended: JourneyTrail[] = []
      this.#meet(cpu, nowPs, skb, (trail) => ended.push(trail))
      for (let segment = fragHead[skb]; segment !== 0; segment = next[segment]) {
        const trail = this.#trails.get(serial[segment])
        if (trail !== undefined && !ended.includes(trail)) ended.push(trail)
      }
      this.#parts.delete(serial[skb])
      this.#wayOut.forget(serial[skb])
      for (const trail of ended) this.#end(trail, { ...how, atPs: nowPs, cpu: this.#number(cpu) })
    }
    return {
      // Each segment of a datagram that was read as a whole is told by itself.
      delivered: (cpu, nowPs, skb) => end(cpu, nowPs, skb, { fate: 'delivered' }),
      consumeSkb: (cpu, nowPs, skb) => end(cpu, nowPs, skb, { fate: 'consumed' }),
      sent: (cpu, nowPs, skb) => end(cpu, nowPs, skb, { fate: 'sent' }),
      kfreeSkb: (cpu, nowPs, skb, drop) => end(cpu, nowPs, skb, { fate: 'dropped', ...DROP_PLACES[drop] }),
      frameDrop: (_cpu, atPs, skb, drop, queue) => {
        const place = this.#names.queues.get(queue)
        const trail = this.#own(skb, place?.device)
        if (trail === undefined) return
        trail.note(atPs, null, `no descriptor for it in ${place?.name ?? 'the ring'}`)
        this.#end(trail, { fate: 'dropped', atPs, cpu: null, ...DROP_PLACES[drop] })
      },
      wireDrop: (wire, atPs, packet, drop) => this.#wireDrop(wire, atPs, packet, drop),
    }
  }

  /** A frame that never was in a row: the wire's draft says what it was, unless it came from a host of the run. */
  #wireDrop(wire: number, atPs: number, packet: number, drop: number): void {
    const known = this.#trails.get(packet)
    if (known !== undefined) {
      this.#end(known, { fate: 'dropped', atPs, cpu: null, ...DROP_PLACES[drop] })
      return
    }
    const { flow, bytes } = this.#model.world.columns(Draft)
    const { saddr, daddr, ports } = this.#model.world.columns(Flow)
    const row = flow[wire]
    const found = { saddr: saddr[row], daddr: daddr[row], sport: ports[row] >>> 16, dport: ports[row] & 0xffff }
    if (this.#choice.isComplete || !this.#choice.wants(packet, () => found)) return
    const { sport, dport } = found
    const addresses = `${formatIpv4(found.saddr)}:${sport} > ${formatIpv4(found.daddr)}:${dport}`
    const what = row === 0 ? 'a replayed frame' : addresses
    const at = this.#names.wires.get(wire) ?? ''
    const trail = this.#begin({ packet, what, at, bytes: bytes[wire], arrivalPs: atPs, isMade: false })
    this.#end(trail, { fate: 'dropped', atPs, cpu: null, ...DROP_PLACES[drop] })
  }
}

/** Follows packets of a model that is yet to be built. */
export function createJourneys(query: JourneyQuery): Journeys {
  const late = lateSink()
  return {
    sink: late.sink,
    attach(model) {
      const recorder = new JourneyRecorder(model, query)
      late.target = recorder.sink
      return recorder
    },
  }
}
