import { STAGES } from '@softnet/scenario/plan'
import { CONTEXT } from '../../cpu/components.js'
import { SOFTIRQ, SOFTIRQ_NAMES } from '../../softirq/components.js'
import type { OpenFrame, TrailCall } from './journey-trail.js'

/** Contexts by number. */
export const CONTEXT_NAMES = ['hardirq', 'softirq', 'ksoftirqd', 'task'] as const

/** A handler that has run. */
export interface PastIrq {
  readonly name: string
  readonly startPs: number
  readonly endPs: number
}

interface Charged {
  readonly startPs: number
  endPs: number
  readonly context: number
  readonly stage: number
  units: number
  /** Packets the CPU had met before. */
  readonly met: number
}

/** Charges that are kept per CPU: more than a list of packets takes. */
const KEPT = 4096

/** Stages that a list of packets passes as a whole, charged once with its length. */
const LIST_STAGES: ReadonlySet<string> = new Set([
  'netif_receive_skb',
  'ip_rcv',
  'ip_route_input',
  'tcp_early_demux',
  'ip_local_deliver',
  'udp_rcv',
])

/** What one CPU is in and has just done. */
export class CpuHistory {
  /** Charges so far. */
  charges = 0
  /** Handlers by what raised them: vector entities, and kinds below 0. */
  readonly irqs = new Map<number, PastIrq>()
  task: OpenFrame | null = null
  readonly #recent: Charged[] = []
  #met = 0
  #irq: OpenFrame | null = null
  #softirq: OpenFrame | null = null
  #poll: OpenFrame | null = null

  charge(startPs: number, endPs: number, context: number, stage: number, units: number): void {
    this.charges++
    this.#recent.push({ startPs, endPs, context, stage, units, met: this.#met })
    if (this.#recent.length > 2 * KEPT) this.#recent.splice(0, KEPT)
  }

  /** The CPU turns to a packet, or away from it: what it does from now on is for another one. */
  meet(): void {
    this.#met++
  }

  /**
   * What was done in `context` since charge `seen` for the packet the CPU has just met: all since the packet it met before,
   * and, where it was in one (`isListed`), what lists took as a whole.
   */
  callsSince(seen: number, context: number, isListed = true): TrailCall[] {
    const calls: TrailCall[] = []
    const first = Math.max(0, this.#recent.length - (this.charges - seen))
    for (const { startPs, endPs, context: at, stage, units, met } of this.#recent.slice(first)) {
      if (at !== context || startPs === endPs) continue
      const name = STAGES[stage] ?? `stage ${stage}`
      const isList = LIST_STAGES.has(name)
      if (met !== this.#met && !(isListed && isList && units > 1)) continue
      calls.push({ startPs, endPs, name, packets: isList ? units : 1 })
    }
    return calls
  }

  /** Where the call begins that a task has just made a packet in: its charges are those since charge `seen`. */
  sendMark(nowPs: number): { readonly seen: number; readonly atPs: number } {
    let mark = { seen: this.charges, atPs: nowPs }
    for (let back = 1; back <= this.#recent.length; back++) {
      const { startPs, context, stage, met } = this.#recent[this.#recent.length - back] as Charged
      if (met !== this.#met || context !== CONTEXT.task) break
      mark = { seen: this.charges - back, atPs: startPs }
      if (STAGES[stage] === 'syscall') break
    }
    return mark
  }

  irqEntry(frame: OpenFrame): void {
    this.#irq = frame
  }

  irqExit(source: number, endPs: number): void {
    if (this.#irq !== null) this.irqs.set(source, { name: this.#irq.name, startPs: this.#irq.startPs, endPs })
    this.#irq = null
  }

  softirqEntry(id: number, startPs: number, vector: number, inKsoftirqd: boolean): void {
    const names: Readonly<Record<number, string>> = {
      [SOFTIRQ.netRx]: 'net_rx_action',
      [SOFTIRQ.timer]: 'run_timer_softirq',
    }
    const name = names[vector] ?? SOFTIRQ_NAMES[vector] ?? 'softirq'
    this.#softirq = { id, name, startPs, context: inKsoftirqd ? 'ksoftirqd' : 'softirq' }
  }

  softirqExit(): void {
    this.#softirq = null
  }

  pollBegin(id: number, startPs: number, name: string, context: number): void {
    this.#poll = { id, name, startPs, context: CONTEXT_NAMES[context] ?? 'task' }
  }

  pollEnd(): void {
    this.#poll = null
  }

  /** What the CPU is in now, from the outside in. */
  frames(context: number): OpenFrame[] {
    const outer = context === CONTEXT.hardirq ? this.#irq : context === CONTEXT.task ? this.task : this.#softirq
    const inner = context === CONTEXT.hardirq ? null : this.#poll
    return [outer, inner].filter((frame): frame is OpenFrame => frame !== null)
  }
}
