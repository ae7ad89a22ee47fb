/** Times of a trace are whole ns, so that slices that meet do not overlap. */
const PS_PER_NS = 1000
const NS_PER_US = 1000

/** Values an event shows when it is clicked on. */
export type EventArgs = Readonly<Record<string, string | number>>

function nsOf(ps: number): number {
  return Math.floor(ps / PS_PER_NS)
}

/** Microseconds with three digits behind the point, as the format wants them. */
function microseconds(ns: number): string {
  const rest = ns % NS_PER_US
  const whole = (ns - rest) / NS_PER_US
  return rest === 0 ? `${whole}` : `${whole}.${rest.toString().padStart(3, '0')}`
}

function argsText(args: EventArgs | undefined): string {
  return args === undefined ? '' : `,"args":${JSON.stringify(args)}`
}

/** Lane of a trace: a process and a thread of the trace-event format. */
export interface Lane {
  readonly pid: number
  readonly tid: number
}

/** Kinds of slices: what a CPU was charged for, or what that was part of. */
export type SliceKind = 'stage' | 'context'

/** A slice from `startPs` to `endPs`. */
export function sliceEvent(
  lane: Lane,
  kind: SliceKind,
  name: string,
  startPs: number,
  endPs: number,
  args?: EventArgs,
): string {
  const start = nsOf(startPs)
  const took = microseconds(nsOf(endPs) - start)
  const at = `"pid":${lane.pid},"tid":${lane.tid},"ts":${microseconds(start)},"dur":${took}`
  return `{"ph":"X","cat":"${kind}",${at},"name":${JSON.stringify(name)}${argsText(args)}}`
}

/** Something that happens at one moment. */
export function instantEvent(lane: Lane, name: string, atPs: number, args?: EventArgs): string {
  const at = `"pid":${lane.pid},"tid":${lane.tid},"ts":${microseconds(nsOf(atPs))},"s":"t"`
  return `{"ph":"i",${at},"name":${JSON.stringify(name)}${argsText(args)}}`
}

/** Packets that the host made have numbers of their own, below 0. */
function packetId(serial: number): string {
  return serial > 0 ? `${serial}` : `"made ${-serial}"`
}

/** A point of a packet's way, on the slice that is there at that time: `s` begins, `t` goes on, `f` ends an arrow. */
export function flowEvent(lane: Lane, phase: 's' | 't' | 'f', serial: number, atPs: number): string {
  const at = `"pid":${lane.pid},"tid":${lane.tid},"ts":${microseconds(nsOf(atPs))}`
  return `{"ph":"${phase}","cat":"packet","name":"packet","id":${packetId(serial)},"bp":"e",${at}}`
}

/** A stretch of a packet's own lane; stretches of one packet lie within each other or follow each other. */
export function waitEvents(
  pid: number,
  serial: number,
  name: string,
  startPs: number,
  endPs: number,
  args?: EventArgs,
): string {
  const head = `"cat":"packet","id":${packetId(serial)},"pid":${pid},"tid":0,"name":${JSON.stringify(name)}`
  const begin = `{"ph":"b",${head},"ts":${microseconds(nsOf(startPs))}${argsText(args)}}`
  return `${begin},\n{"ph":"e",${head},"ts":${microseconds(nsOf(endPs))}}`
}

/** The value of a counter from `atPs` on. */
export function counterEvent(pid: number, name: string, unit: string, atPs: number, value: number): string {
  const at = `"pid":${pid},"tid":0,"ts":${microseconds(nsOf(atPs))}`
  return `{"ph":"C",${at},"name":${JSON.stringify(name)},"args":{"${unit}":${value}}}`
}

/** Names a process or a thread; lower orders stand higher. */
export function nameEvents(lane: Lane, name: string, order: number): string {
  const what = lane.tid === 0 ? 'process' : 'thread'
  const at = `"pid":${lane.pid},"tid":${lane.tid}`
  const named = `{"ph":"M",${at},"name":"${what}_name","args":{"name":${JSON.stringify(name)}}}`
  return `${named},\n{"ph":"M",${at},"name":"${what}_sort_index","args":{"sort_index":${order}}}`
}
