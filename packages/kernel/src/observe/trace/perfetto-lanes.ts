import { STAGES } from '@softnet/scenario/plan'
import { CONTEXT } from '../../cpu/components.js'
import { SOFTIRQ, SOFTIRQ_NAMES } from '../../softirq/components.js'
import { IRQ_KIND } from '../trace-sink.js'
import { type EventArgs, type Lane, type SliceKind, sliceEvent } from './perfetto-events.js'
import type { TraceNames } from './trace-names.js'
import type { TraceWindow } from './trace-window.js'

/** Lanes of a CPU, in the order of `CONTEXT`, and their names. */
export const LANE_NAMES = ['hardirq', 'softirq', 'ksoftirqd', 'tasks'] as const

const TASK_LANE = CONTEXT.task

/** What is under way on a CPU; times are −1 where nothing is. */
interface CpuLanes {
  readonly pid: number
  irqStartPs: number
  softirqStartPs: number
  softirqContext: number
  pollStartPs: number
  pollContext: number
  task: number
  taskStartPs: number
  /** True from a sampled packet on, until the poll under way ends. */
  isFollowing: boolean
  /** Slices of the poll under way, that are kept if it meets a sampled packet. */
  held: { readonly endPs: number; readonly text: string }[]
  /** Lane, start and end of the stage that was charged last: where arrows end. */
  readonly lastLane: { pid: number; tid: number }
  lastStartPs: number
  lastEndPs: number
  /** End of the last slice: nothing that is under way ends before. */
  latestPs: number
}

const SOFTIRQ_FUNCTIONS: Readonly<Record<number, string>> = {
  [SOFTIRQ.timer]: 'run_timer_softirq',
  [SOFTIRQ.netRx]: 'net_rx_action',
}
const IRQ_FUNCTIONS: Readonly<Record<number, string>> = {
  [IRQ_KIND.callFunction]: 'sysvec_call_function_single',
  [IRQ_KIND.reschedule]: 'sysvec_reschedule_ipi',
  [IRQ_KIND.localTimer]: 'sysvec_apic_timer_interrupt',
}

/** Writes one line of a trace: the lane it belongs to and when it became known. */
export type WriteEvent = (cpu: number, timePs: number, text: string) => void

/** Slices of CPUs: what ran, in which context, within what. */
export class PerfettoLanes {
  readonly #names: TraceNames
  readonly #window: TraceWindow
  readonly #write: WriteEvent
  readonly #isTask: (task: number) => boolean
  readonly #cpus = new Map<number, CpuLanes>()

  /** `isTask` is false for ksoftirqd, which has a lane of its own. */
  constructor(names: TraceNames, window: TraceWindow, write: WriteEvent, isTask: (task: number) => boolean) {
    this.#names = names
    this.#window = window
    this.#write = write
    this.#isTask = isTask
    for (const [cpu, { index }] of names.cpus) this.#cpus.set(cpu, idleLanes(index + 1))
  }

  /** Where an arrow to what the CPU has done up to `nowPs` ends: lane and time; null if nothing of it is in the trace. */
  lastSlice(cpu: number, nowPs: number): { readonly lane: Lane; readonly startPs: number } | null {
    const { lastLane, lastStartPs, lastEndPs } = this.#of(cpu)
    // What another CPU has paid for is on no slice of this one.
    if (lastEndPs !== nowPs) return null
    return { lane: { pid: lastLane.pid, tid: lastLane.tid }, startPs: lastStartPs }
  }

  /** Lane of what the CPU does now. */
  laneOf(cpu: number, context: number): Lane {
    return { pid: this.#of(cpu).pid, tid: Math.min(context, TASK_LANE) + 1 }
  }

  /** A sampled packet is handled: what the CPU does for it is shown stage by stage. */
  follow(cpu: number): void {
    const lanes = this.#of(cpu)
    lanes.isFollowing = true
    for (const { endPs, text } of lanes.held) this.#write(cpu, endPs, text)
    lanes.held = []
  }

  /** A reader is through with a sampled packet. */
  unfollow(cpu: number): void {
    const lanes = this.#of(cpu)
    if (lanes.pollStartPs < 0) lanes.isFollowing = false
  }

  charge(cpu: number, startPs: number, endPs: number, context: number, stage: number, units: number): void {
    if (startPs === endPs) return
    const lanes = this.#of(cpu)
    lanes.latestPs = endPs
    const isShown = this.#window.sample === 1 || lanes.isFollowing
    if (!isShown && (lanes.pollStartPs < 0 || context !== lanes.pollContext)) return
    const lane = this.laneOf(cpu, context)
    const name = STAGES[stage] ?? `stage ${stage}`
    const text = this.#text(lane, 'stage', name, startPs, endPs, units === 1 ? undefined : { units })
    if (text === null) return
    lanes.lastLane.pid = lane.pid
    lanes.lastLane.tid = lane.tid
    lanes.lastStartPs = Math.max(startPs, this.#window.fromPs)
    lanes.lastEndPs = endPs
    if (isShown) this.#write(cpu, endPs, text)
    else lanes.held.push({ endPs, text })
  }

  irqEntry(cpu: number, nowPs: number): void {
    this.#of(cpu).irqStartPs = nowPs
  }

  irqExit(cpu: number, nowPs: number, kind: number, id: number): void {
    const lanes = this.#of(cpu)
    const vector = kind === IRQ_KIND.device ? this.#names.vectors.get(id) : undefined
    const name = vector?.name ?? IRQ_FUNCTIONS[kind] ?? 'interrupt'
    this.#slice(cpu, CONTEXT.hardirq, name, lanes.irqStartPs, nowPs, vector && { irq: vector.irq })
    lanes.irqStartPs = -1
  }

  softirqEntry(cpu: number, nowPs: number, inKsoftirqd: boolean): void {
    const lanes = this.#of(cpu)
    lanes.softirqStartPs = nowPs
    lanes.softirqContext = inKsoftirqd ? CONTEXT.ksoftirqd : CONTEXT.softirq
  }

  softirqExit(cpu: number, nowPs: number, vector: number): void {
    const lanes = this.#of(cpu)
    const name = SOFTIRQ_FUNCTIONS[vector] ?? SOFTIRQ_NAMES[vector] ?? `softirq ${vector}`
    this.#slice(cpu, lanes.softirqContext, name, lanes.softirqStartPs, nowPs)
    lanes.softirqStartPs = -1
  }

  pollBegin(cpu: number, nowPs: number, context: number): void {
    const lanes = this.#of(cpu)
    lanes.pollStartPs = nowPs
    lanes.pollContext = context
    lanes.isFollowing = false
    lanes.held = []
  }

  pollEnd(cpu: number, nowPs: number, napi: number, work: number, budget: number): void {
    const lanes = this.#of(cpu)
    const device = this.#names.napis.get(napi) ?? null
    const name = device === null ? 'process_backlog' : `napi_poll ${device}`
    this.#slice(cpu, lanes.pollContext, name, lanes.pollStartPs, nowPs, { work, budget })
    lanes.pollStartPs = -1
    lanes.isFollowing = false
    lanes.held = []
  }

  schedSwitch(cpu: number, nowPs: number, next: number): void {
    const lanes = this.#of(cpu)
    if (lanes.task === next) return
    this.#endTask(cpu, lanes, nowPs)
    lanes.task = next
    lanes.taskStartPs = nowPs
  }

  /** When the oldest slice began that waits to be kept or not, ps: nothing later is complete yet. */
  get heldSincePs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { held, pollStartPs } of this.#cpus.values()) {
      if (held.length > 0 && pollStartPs < first) first = pollStartPs
    }
    return first
  }

  /** Ends everything that is under way. */
  close(closePs: number): void {
    for (const [cpu, lanes] of this.#cpus) {
      const endPs = Math.max(closePs, lanes.latestPs)
      const { irqStartPs, pollStartPs, softirqStartPs, pollContext, softirqContext } = lanes
      if (irqStartPs >= 0) this.#slice(cpu, CONTEXT.hardirq, 'interrupt', irqStartPs, endPs)
      if (pollStartPs >= 0) this.#slice(cpu, pollContext, 'napi_poll', pollStartPs, endPs)
      if (softirqStartPs >= 0) this.#slice(cpu, softirqContext, 'softirq', softirqStartPs, endPs)
      this.#endTask(cpu, lanes, endPs)
      lanes.task = 0
    }
  }

  #endTask(cpu: number, lanes: CpuLanes, nowPs: number): void {
    if (lanes.task === 0) return
    const { comm, pid } = this.#names.tasks.get(lanes.task) ?? { comm: 'task', pid: 0 }
    const context = this.#isTask(lanes.task) ? TASK_LANE : CONTEXT.ksoftirqd
    this.#slice(cpu, context, comm, lanes.taskStartPs, nowPs, { pid })
  }

  #slice(cpu: number, context: number, name: string, startPs: number, endPs: number, args?: EventArgs): void {
    if (startPs < 0) return
    const text = this.#text(this.laneOf(cpu, context), 'context', name, startPs, endPs, args)
    if (text !== null) this.#write(cpu, endPs, text)
  }

  /** The slice as far as it lies in the window; null if it does not. */
  #text(
    lane: Lane,
    kind: SliceKind,
    name: string,
    startPs: number,
    endPs: number,
    args: EventArgs | undefined,
  ): string | null {
    const { fromPs, toPs } = this.#window
    if (endPs <= fromPs || startPs >= toPs) return null
    return sliceEvent(lane, kind, name, Math.max(startPs, fromPs), Math.min(endPs, toPs), args)
  }

  #of(cpu: number): CpuLanes {
    const lanes = this.#cpus.get(cpu)
    if (lanes === undefined) throw new Error(`CPU ${cpu} is not in the trace's model`)
    return lanes
  }
}

function idleLanes(pid: number): CpuLanes {
  return {
    pid,
    irqStartPs: -1,
    softirqStartPs: -1,
    softirqContext: CONTEXT.softirq,
    pollStartPs: -1,
    pollContext: CONTEXT.softirq,
    task: 0,
    taskStartPs: 0,
    isFollowing: false,
    held: [],
    lastLane: { pid, tid: 1 },
    lastStartPs: -1,
    lastEndPs: -1,
    latestPs: 0,
  }
}
