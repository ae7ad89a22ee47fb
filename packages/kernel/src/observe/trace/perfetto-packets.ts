import { flowEvent, type Lane, waitEvents } from './perfetto-events.js'
import type { WriteEvent } from './perfetto-lanes.js'
import type { TraceWindow } from './trace-window.js'

/** Process of the packets' own lanes. */
export const PACKETS_PID = 1_000_000

interface Followed {
  /** When the trace first saw it, ps. */
  readonly sincePs: number
  /** What it is, and where it was received. */
  readonly what: string
  /** Last point of its way that is not written yet, and how many were. */
  point: { readonly lane: Lane; readonly startPs: number } | null
  points: number
  /** Of the last point written, its time and when it was told, ps: a reader of the same partition may be less than a step behind. */
  atPs: number
  toldPs: number
  wait: { readonly name: string; readonly place: string; readonly fromPs: number } | null
}

/** Where a wait was. */
export interface WaitPlace {
  /** Kind of queue, the name of the stretch. */
  readonly name: string
  readonly place: string
}

/** Sampled packets between their first and last event: arrows from slice to slice, and stretches in queues. */
export class PerfettoPackets {
  readonly #window: TraceWindow
  readonly #write: WriteEvent
  readonly #followed = new Map<number, Followed>()

  constructor(window: TraceWindow, write: WriteEvent) {
    this.#window = window
    this.#write = write
  }

  /** Begins with a packet that is not followed yet; `sincePs` is when its last bit came in. */
  begin(serial: number, sincePs: number, what: () => string): void {
    if (this.#followed.has(serial)) return
    const since = Math.max(sincePs, this.#window.fromPs)
    this.#followed.set(serial, { sincePs: since, what: what(), point: null, points: 0, atPs: 0, toldPs: 0, wait: null })
  }

  /** An arrow goes to the slice at `point`; the one before is known to go on. */
  point(serial: number, cpu: number, nowPs: number, point: { lane: Lane; startPs: number } | null): void {
    const followed = this.#followed.get(serial)
    if (followed === undefined || point === null) return
    if (followed.point !== null) this.#writePoint(serial, followed, cpu, nowPs, false)
    followed.point = point
  }

  /** The packet joins a queue. */
  waitFrom(serial: number, fromPs: number, { name, place }: WaitPlace): void {
    const followed = this.#followed.get(serial)
    if (followed !== undefined) followed.wait = { name, place, fromPs: Math.max(fromPs, this.#window.fromPs) }
  }

  /** The packet leaves the queue it is in. */
  waitUntil(serial: number, cpu: number, nowPs: number): void {
    const followed = this.#followed.get(serial)
    if (followed?.wait != null) this.#endWait(serial, followed, cpu, nowPs)
  }

  /** The packet's way ends as `end` says. */
  end(serial: number, cpu: number, nowPs: number, end: string): void {
    const followed = this.#followed.get(serial)
    if (followed === undefined) return
    this.#followed.delete(serial)
    if (followed.wait !== null) this.#endWait(serial, followed, cpu, nowPs)
    this.#writePoint(serial, followed, cpu, nowPs, true)
    const args = { serial, packet: followed.what, end }
    const endPs = Math.max(followed.sincePs, nowPs)
    this.#write(cpu, nowPs, waitEvents(PACKETS_PID, serial, 'packet', followed.sincePs, endPs, args))
  }

  /** Ends what is still on its way. */
  close(endPs: number): void {
    for (const serial of [...this.#followed.keys()].sort((a, b) => a - b)) this.end(serial, 0, endPs, 'on its way')
  }

  #writePoint(serial: number, followed: Followed, cpu: number, nowPs: number, isLast: boolean): void {
    const { point, points } = followed
    // A single point makes no arrow.
    if (point === null || (isLast && points === 0)) return
    const phase = points === 0 ? 's' : isLast ? 'f' : 't'
    followed.points++
    followed.atPs = Math.max(followed.atPs, point.startPs)
    followed.toldPs = Math.max(followed.toldPs, nowPs)
    this.#write(cpu, followed.toldPs, flowEvent(point.lane, phase, serial, followed.atPs))
  }

  #endWait(serial: number, followed: Followed, cpu: number, nowPs: number): void {
    if (followed.wait === null) return
    const { name, place, fromPs } = followed.wait
    followed.wait = null
    const endPs = Math.max(fromPs, nowPs)
    this.#write(cpu, nowPs, waitEvents(PACKETS_PID, serial, name, fromPs, endPs, { in: place }))
  }
}
