import type { Journey, JourneyFate, JourneyStep, JourneyWait } from '@softnet/scenario/plan'

/** Stations that most packets pass without a stop. */
const AT_ONCE: ReadonlySet<string> = new Set(['gro', 'reassembly', 'qdisc', 'tx ring', 'link'])
const PS_PER_NS = 1000
const FRACTIONS = 1000

/** A time of a document, ns, with whole ps. */
export function nsOf(ps: number): number {
  return Math.round((ps / PS_PER_NS) * FRACTIONS) / FRACTIONS
}

/** Something that a CPU is in: a handler, a softirq, a poll, a task. */
export interface OpenFrame {
  /** Different for each time it is entered. */
  readonly id: number
  readonly name: string
  readonly startPs: number
  readonly context: NonNullable<JourneyStep['context']>
}

/** A stage that was charged for the packet. */
export interface TrailCall {
  readonly startPs: number
  readonly endPs: number
  readonly name: string
  readonly packets: number
}

/** What a packet waits in. */
export interface TrailWait {
  readonly queue: JourneyWait['queue']
  readonly place: string
  readonly fromPs: number
}

/** What is known of a packet when its way begins. */
export interface TrailStart {
  readonly packet: number
  readonly what: string
  /** Device it came in on, or goes out by. */
  readonly at: string
  readonly bytes: number
  /** Last bit at the port; of a packet that the host makes, when that begins. */
  readonly arrivalPs: number
  readonly isMade: boolean
}

/** How a way ended. */
export interface TrailEnd {
  readonly fate: JourneyFate
  readonly atPs: number
  readonly cpu: number | null
  /** Host of the CPU, where there are several. */
  readonly host?: string | null
  readonly reason?: string
  readonly where?: string
}

/** The way of a packet while it is on it. */
export class JourneyTrail {
  readonly start: TrailStart
  /** Its serial number now: frames on a link get one of their receiver. */
  packet: number
  /** CPU entity that handled it last, 0 if none. */
  cpu = 0
  /** Charges of that CPU before this one are known or not the packet's. */
  seen = 0
  wait: TrailWait | null = null
  mergedInto: number | null = null
  readonly #steps: JourneyStep[] = []
  readonly #waits: JourneyWait[] = []
  readonly #cpus: number[] = []
  #open: readonly OpenFrame[] = []
  #openCpu: number | null = null
  #lastPs: number

  constructor(start: TrailStart) {
    this.start = start
    this.packet = start.packet
    this.#lastPs = start.arrivalPs
    if (!start.isMade) this.note(start.arrivalPs, null, `last bit at ${start.at}, ${start.bytes} bytes`)
  }

  /** How far its way is known, ps: the step under way may reach beyond the end of a run. */
  get lastPs(): number {
    return this.#lastPs
  }

  /** The packet is on `cpu` (its number), within `frames`: what it is in no longer is left, what is new entered. */
  within(cpu: number, frames: readonly OpenFrame[]): void {
    if (this.#cpus.at(-1) !== cpu) this.#cpus.push(cpu)
    let same = 0
    if (this.#openCpu === cpu) {
      while (same < frames.length && this.#open[same]?.id === (frames[same] as OpenFrame).id) same++
    }
    this.#leaveTo(same)
    this.#openCpu = cpu
    for (const frame of frames.slice(same)) {
      const { name, context, startPs } = frame
      // What began before the packet was there begins for it when it comes.
      const at_ns = startPs >= this.#lastPs ? nsOf(startPs) : null
      this.#push({ kind: 'enter', at_ns, took_ns: null, cpu, context, name })
      this.#open = [...this.#open, frame]
    }
  }

  /** Something was done for it on the CPU it is on. */
  calls(calls: readonly TrailCall[]): void {
    const context = this.#open.at(-1)?.context ?? null
    for (const { startPs, endPs, name, packets } of calls) {
      const took_ns = nsOf(endPs - startPs)
      this.#push({ kind: 'call', at_ns: nsOf(startPs), took_ns, cpu: this.#openCpu, context, name }, packets)
      this.#lastPs = endPs
    }
  }

  /** Something happened elsewhere that it waited for. */
  event(step: Omit<JourneyStep, 'depth' | 'packets'>): void {
    this.#push(step)
  }

  /** Adds words to the last step. */
  remark(words: string): void {
    const last = this.#steps.at(-1)
    if (last !== undefined) this.#steps[this.#steps.length - 1] = { ...last, note: words }
  }

  note(atPs: number, cpu: number | null, words: string): void {
    this.#push({ kind: 'note', at_ns: nsOf(atPs), took_ns: null, cpu, context: null, name: words })
    this.#lastPs = Math.max(this.#lastPs, atPs)
  }

  /** The wait is over; `behind` packets were before it. */
  endWait(untilPs: number, behind: number | null): void {
    if (this.wait === null) return
    const { queue, place, fromPs } = this.wait
    this.wait = null
    const tookPs = Math.max(0, untilPs - fromPs)
    this.#lastPs = Math.max(this.#lastPs, untilPs)
    // What goes on at once has not waited.
    if (tookPs === 0 && (behind ?? 0) === 0 && AT_ONCE.has(queue)) return
    this.#waits.push({ queue, place, from_ns: nsOf(fromPs), for_ns: nsOf(tookPs), behind })
    // A list waits within the poll it is of, a packet in the discipline that its sender runs.
    if (queue !== 'gro') this.#leaveTo(0)
    const note = behind === null || behind === 0 ? null : `behind ${behind}`
    const step = { kind: 'wait', at_ns: nsOf(fromPs), took_ns: nsOf(tookPs), cpu: null, context: null } as const
    this.#push({ ...step, name: place === '' ? queue : `${queue}, ${place}`, note })
  }

  end(end: TrailEnd): Journey {
    const { fate, atPs, cpu, host = null, reason = null, where = null } = end
    this.endWait(atPs, null)
    this.#leaveTo(0)
    const { packet, what, at, bytes, arrivalPs } = this.start
    return {
      ...{ packet, what, device: at, bytes, arrival_ns: nsOf(arrivalPs) },
      end: { fate, at_ns: nsOf(atPs), cpu, host, reason, where, merged_into: this.mergedInto },
      cpus: this.#cpus,
      waits: this.#waits,
      steps: this.#steps,
    }
  }

  #leaveTo(depth: number): void {
    while (this.#open.length > depth) {
      const { name, context } = this.#open.at(-1) as OpenFrame
      this.#open = this.#open.slice(0, -1)
      this.#push({ kind: 'leave', at_ns: null, took_ns: null, cpu: this.#openCpu, context, name })
    }
  }

  #push(step: Omit<JourneyStep, 'depth' | 'packets' | 'note'> & { note?: string | null }, packets = 1): void {
    this.#steps.push({ ...step, note: step.note ?? null, packets, depth: this.#open.length })
  }
}
