import type { Columns } from '@softnet/ecs'
import type { Model } from '../../build/build-model.js'
import { DROP_PLACES } from '../../count/drops.js'
import { CONTEXT, Cpu } from '../../cpu/components.js'
import { NetDev } from '../../nic/components.js'
import { TxQueue } from '../../nic/tx-components.js'
import { Skb } from '../../skb/components.js'
import type { TraceSink } from '../trace-sink.js'
import type { CpuHistory } from './cpu-history.js'
import type { FifoTimes } from './fifo-times.js'
import type { JourneyTrail, TrailEnd } from './journey-trail.js'
import type { TraceNames } from './trace-names.js'

/** When and where a packet was made; charges of the CPU since `seen` are its own. */
export interface MadeOn {
  readonly cpu: number
  readonly atPs: number
  readonly seen: number
}

/** What the way out needs of those who follow packets. */
export interface TrailKeeper {
  /** Trails by the number that their packet has now. */
  readonly trails: Map<number, JourneyTrail>
  history(cpu: number): CpuHistory
  fifo(key: string): FifoTimes
  /** Number of a CPU on its host. */
  number(cpu: number): number
  /** The CPU does something with a packet. */
  meet(cpu: number, nowPs: number, skb: number, visit: (trail: JourneyTrail) => void): void
  /** What the CPU has done so far was for the packet it has met last. */
  meetLast(cpu: number, nowPs: number): void
  /** A packet leaves a queue. */
  leave(cpu: number, nowPs: number, skb: number, queue: FifoTimes): void
  end(trail: JourneyTrail, end: TrailEnd): void
}

/** A packet in a ring, and who follows it or a part of it. */
interface Posted {
  readonly packet: number
  readonly trails: readonly JourneyTrail[]
}

/** Packets made and not yet sent, of which the oldest are forgotten: many never come by. */
const KEPT = 4096

/** Follows packets from where they are made to the port of the next host. */
export class WayOut {
  readonly #keeper: TrailKeeper
  readonly #names: TraceNames
  readonly #skb: Columns<(typeof Skb)['schema']>
  readonly #context: Uint8Array
  readonly #made = new Map<number, MadeOn>()
  /** Packets whose way goes on as another one, until they are freed. */
  readonly #elsewhere = new Set<number>()
  /** Packets in the ring of each transmit queue. */
  readonly #rings = new Map<number, Posted[]>()
  readonly #queueName: (queue: number) => string
  readonly #device: (queue: number) => string

  constructor({ world }: Pick<Model, 'world'>, names: TraceNames, keeper: TrailKeeper) {
    this.#keeper = keeper
    this.#names = names
    this.#skb = world.columns(Skb)
    this.#context = world.columns(Cpu).context
    const { dev } = world.columns(TxQueue)
    const { firstTx, txStep } = world.columns(NetDev)
    this.#device = (queue) => names.devices.get(dev[queue]) ?? ''
    this.#queueName = (queue) => `${this.#device(queue)} tx-${(queue - firstTx[dev[queue]]) / txStep[dev[queue]]}`
  }

  /** Where a packet was made, told once. */
  takeMade(packet: number): MadeOn | undefined {
    const made = this.#made.get(packet)
    this.#made.delete(packet)
    return made
  }

  /** True for a packet whose way goes on as another one. */
  isElsewhere(packet: number): boolean {
    return this.#elsewhere.has(packet)
  }

  /** The packet is gone. */
  forget(packet: number): void {
    this.#made.delete(packet)
    this.#elsewhere.delete(packet)
  }

  calls(): Partial<TraceSink> {
    return { ...this.#hostCalls(), ...this.#cardCalls() }
  }

  #hostCalls(): Partial<TraceSink> {
    const { meet } = this.#keeper
    const { serial } = this.#skb
    return {
      made: (cpu, nowPs, skb) => {
        this.#keeper.meetLast(cpu, nowPs)
        const history = this.#keeper.history(cpu)
        const isTask = this.#context[cpu] === CONTEXT.task
        const mark = isTask ? history.sendMark(nowPs) : { seen: history.charges, atPs: nowPs }
        this.#made.set(serial[skb], { cpu, ...mark })
        for (const oldest of this.#made.keys()) {
          if (this.#made.size <= KEPT) break
          this.#made.delete(oldest)
        }
      },
      fragment: (cpu, nowPs, skb, part) => {
        const packet = serial[skb]
        if (this.#elsewhere.has(packet)) return
        meet(cpu, nowPs, skb, (trail) => {
          if (trail.packet !== packet) return
          trail.note(
            nowPs,
            this.#keeper.number(cpu),
            `cut into fragments, of which packet ${serial[part]} is the first`,
          )
          this.#elsewhere.add(packet)
          this.#rename(trail, serial[part])
        })
      },
      neighQueue: (cpu, nowPs, skb) =>
        meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'neighbour', place: '', fromPs: nowPs }
        }),
      xmitSend: (cpu, nowPs, skb) =>
        meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'cache line', place: '', fromPs: nowPs }
        }),
      xmit: (cpu, nowPs, skb) => meet(cpu, nowPs, skb, () => {}),
      qdiscEnqueue: (cpu, nowPs, skb, queue) =>
        meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'qdisc', place: this.#queueName(queue), fromPs: nowPs }
        }),
      qdiscDequeue: (cpu, nowPs, skb, queue) =>
        this.#keeper.leave(cpu, nowPs, skb, this.#keeper.fifo(`qdisc ${queue}`)),
      txPost: (cpu, nowPs, skb, queue) => {
        const following: JourneyTrail[] = []
        meet(cpu, nowPs, skb, (trail) => {
          trail.wait = { queue: 'tx ring', place: this.#queueName(queue), fromPs: nowPs }
          following.push(trail)
        })
        this.forget(serial[skb])
        this.#ring(queue).push({ packet: serial[skb], trails: following })
      },
    }
  }

  #cardCalls(): Partial<TraceSink> {
    const { trails, end } = this.#keeper
    const { serial } = this.#skb
    return {
      txFrame: (queue, startPs, endPs, isLinked) => {
        const posted = this.#ring(queue).shift()
        const fifo = this.#keeper.fifo(`tx ${queue}`)
        for (const trail of posted?.trails ?? []) {
          trail.endWait(startPs, fifo.since(trail.wait?.fromPs ?? startPs))
          trail.wait = { queue: 'wire', place: this.#device(queue), fromPs: startPs }
          trail.endWait(endPs, null)
          // Of a packet that GRO had merged the first segment goes on by itself.
          if (isLinked && trail.packet === posted?.packet) trail.wait = { queue: 'link', place: '', fromPs: endPs }
          else end(trail, { fate: 'sent', atPs: endPs, cpu: null })
        }
        fifo.take(startPs)
      },
      txLost: (queue, atPs, drop, isLast) => {
        const posted = isLast ? this.#ring(queue).pop() : this.#ring(queue).shift()
        for (const trail of posted?.trails ?? []) end(trail, { fate: 'dropped', atPs, cpu: null, ...DROP_PLACES[drop] })
      },
      linkFrame: (wire, atPs, skb, packet) => {
        const trail = trails.get(serial[skb])
        if (trail === undefined) return
        trail.endWait(atPs, null)
        trail.note(atPs, null, `last bit at ${this.#names.wires.get(wire) ?? ''}, where it is packet ${packet}`)
        this.#rename(trail, packet)
        trail.cpu = 0
      },
      linkLost: (_wire, atPs, skb, packet) => {
        const trail = trails.get(serial[skb])
        if (trail === undefined) return
        trail.endWait(atPs, null)
        this.#rename(trail, packet)
      },
      linkForeign: (wire, atPs, skb) => {
        const trail = trails.get(serial[skb])
        if (trail === undefined) return
        trail.endWait(atPs, null)
        trail.note(atPs, null, `not to the address of ${this.#names.wires.get(wire) ?? ''}, which passes it over`)
        end(trail, { fate: 'consumed', atPs, cpu: null })
      },
    }
  }

  #ring(queue: number): Posted[] {
    const found = this.#rings.get(queue)
    if (found !== undefined) return found
    const fresh: Posted[] = []
    this.#rings.set(queue, fresh)
    return fresh
  }

  #rename(trail: JourneyTrail, packet: number): void {
    this.#keeper.trails.delete(trail.packet)
    trail.packet = packet
    this.#keeper.trails.set(packet, trail)
  }
}
