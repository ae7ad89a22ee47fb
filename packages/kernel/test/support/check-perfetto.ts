/** Judges a trace by the rules of the trace-event format, and by what Perfetto makes of them. */

export interface TraceEvent {
  readonly ph: 'X' | 'M' | 'C' | 'i' | 's' | 't' | 'f' | 'b' | 'e'
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur: number
  readonly id: number | string
  readonly cat: string
  readonly bp: string
  readonly s: string
  readonly args: Readonly<Record<string, string | number>>
}

/** Whole ns: sums of microseconds with three digits are not exact. */
const ns = (us: number) => Math.round(us * 1000)

function group<Key>(events: readonly TraceEvent[], keyOf: (event: TraceEvent) => Key): Map<Key, TraceEvent[]> {
  const groups = new Map<Key, TraceEvent[]>()
  for (const event of events) {
    const key = keyOf(event)
    const list = groups.get(key)
    if (list === undefined) groups.set(key, [event])
    else list.push(event)
  }
  return groups
}

const laneKey = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`

function checkFields(event: TraceEvent, faults: string[]): void {
  const needed: Readonly<Record<TraceEvent['ph'], readonly (keyof TraceEvent)[]>> = {
    X: ['ts', 'dur'],
    M: ['args'],
    C: ['ts', 'args'],
    i: ['ts', 's'],
    s: ['ts', 'id', 'cat'],
    t: ['ts', 'id', 'cat'],
    f: ['ts', 'id', 'cat', 'bp'],
    b: ['ts', 'id', 'cat'],
    e: ['ts', 'id', 'cat'],
  }
  const fields = needed[event.ph]
  if (fields === undefined) faults.push(`unknown phase ${event.ph}`)
  else
    for (const field of ['name', 'pid', 'tid', ...fields] as const)
      if (event[field] === undefined) faults.push(`${event.ph} ${event.name} has no ${field}`)
  if (event.ts < 0 || event.dur < 0) faults.push(`${event.name} at ${event.ts} for ${event.dur}`)
}

/** Slices of a lane lie within each other or apart. */
function checkNesting(events: readonly TraceEvent[], faults: string[]): void {
  for (const [lane, slices] of group(
    events.filter(({ ph }) => ph === 'X'),
    laneKey,
  )) {
    const ends: number[] = []
    const sorted = [...slices].sort((a, b) => ns(a.ts) - ns(b.ts) || ns(b.dur) - ns(a.dur))
    for (const { ts, dur, name } of sorted) {
      while (ends.length > 0 && (ends.at(-1) as number) <= ns(ts)) ends.pop()
      const end = ns(ts) + ns(dur)
      const around = ends.at(-1)
      if (around !== undefined && end > around) faults.push(`lane ${lane}: ${name} at ${ts} ends behind what it is in`)
      ends.push(end)
    }
  }
}

function checkFlows(events: readonly TraceEvent[], faults: string[]): void {
  const lanes = group(
    events.filter(({ ph }) => ph === 'X'),
    laneKey,
  )
  const flows = group(
    events.filter(({ ph }) => 'stf'.includes(ph)),
    ({ id }) => id,
  )
  for (const [id, points] of flows) {
    const phases = points.map(({ ph }) => ph).join('')
    if (!/^st*f$/.test(phases)) faults.push(`flow ${id} is ${phases}`)
    points.forEach((point, index) => {
      if (index > 0 && ns(point.ts) < ns((points[index - 1] as TraceEvent).ts)) faults.push(`flow ${id} goes back`)
      const slices = lanes.get(laneKey(point)) ?? []
      const isOnSlice = slices.some(({ ts, dur }) => ns(ts) <= ns(point.ts) && ns(point.ts) <= ns(ts) + ns(dur))
      if (!isOnSlice) faults.push(`flow ${id} has a point on no slice at ${point.ts}`)
    })
  }
}

function checkStretches(events: readonly TraceEvent[], faults: string[]): void {
  const stretches = group(
    events.filter(({ ph }) => ph === 'b' || ph === 'e'),
    ({ id, name }) => `${id} ${name}`,
  )
  for (const [key, list] of stretches) {
    if (!/^(be)+$/.test(list.map(({ ph }) => ph).join(''))) faults.push(`stretches of ${key} are not paired`)
    for (let i = 1; i < list.length; i++)
      if (ns((list[i] as TraceEvent).ts) < ns((list[i - 1] as TraceEvent).ts)) faults.push(`${key} goes back`)
  }
}

function checkCounters(events: readonly TraceEvent[], faults: string[]): void {
  const tracks = group(
    events.filter(({ ph }) => ph === 'C'),
    ({ pid, name }) => `${pid} ${name}`,
  )
  for (const [key, list] of tracks) {
    let before = -1
    for (const { ts, args } of list) {
      if (ns(ts) < before) faults.push(`counter ${key} goes back at ${ts}`)
      before = ns(ts)
      for (const value of Object.values(args)) if (Number(value) < 0) faults.push(`counter ${key} is ${value}`)
    }
  }
}

/** Parses a trace and lists its faults. */
export function checkPerfetto(text: string): { readonly events: readonly TraceEvent[]; readonly faults: string[] } {
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] }
  const faults: string[] = []
  for (const event of traceEvents) checkFields(event, faults)
  const named = new Set(traceEvents.filter(({ name }) => name === 'thread_name').map(laneKey))
  const processes = new Set(traceEvents.filter(({ name }) => name === 'process_name').map(({ pid }) => pid))
  for (const event of traceEvents) {
    if (!processes.has(event.pid)) faults.push(`process ${event.pid} has no name`)
    if (event.ph === 'X' && !named.has(laneKey(event))) faults.push(`lane ${laneKey(event)} has no name`)
  }
  for (const check of [checkNesting, checkFlows, checkStretches, checkCounters]) check(traceEvents, faults)
  return { events: traceEvents, faults: [...new Set(faults)] }
}
