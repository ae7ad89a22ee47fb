/** The receive path of one run: what reached each place, what was lost there, and whether it adds up. */
import { type DropRow, dropPlace, PATH_PLACES, type PathPlace, type ResultDocument } from '@softnet/scenario/plan'

/** One place of the path in one run, in wire frames. */
export interface PathStage {
  readonly place: PathPlace
  /** Frames that reached the place. */
  readonly entered: number
  /** Frames that left the place for the next one. */
  readonly passed: number
  readonly lost: number
  /** Frames the kernel took for itself here (ARP, ICMP …). */
  readonly consumed: number
  /** Frames that left the path here for the way out of the host. */
  readonly forwarded: number
  /** Frames that were here when the run ended. */
  readonly waiting: number
  /** What was lost here, greatest first. */
  readonly drops: readonly DropRow[]
}

/** Where the places of `ResultDocument.waiting` are on the path. */
const WAITING: Readonly<Partial<Record<PathPlace, keyof ResultDocument['waiting']>>> = {
  wire: 'wire',
  nic: 'nic',
  ring: 'ring',
  napi: 'softirq',
  backlog: 'backlog',
  socket: 'socket',
  out: 'out',
}

/** Frames through each place: what was offered, less what was lost, kept, or is waiting; the last passes what was delivered. */
export function pathStages(result: Pick<ResultDocument, 'packets' | 'waiting' | 'drops'>): PathStage[] {
  const byPlace = new Map<PathPlace, DropRow[]>(PATH_PLACES.map((place) => [place, []]))
  for (const drop of result.drops) byPlace.get(dropPlace(drop))!.push(drop)
  const { created, sent } = result.packets
  const lostOnWayOut = byPlace.get('out')!.reduce((sum, drop) => sum + drop.count, 0)
  const leaving = sent + lostOnWayOut + (result.waiting.out ?? 0)
  // What the host has not made itself and sends, it passes on.
  const passedOn = Math.max(0, leaving - created)
  let entered = result.packets.offered
  return PATH_PLACES.map((place) => {
    const drops = byPlace.get(place)!.sort((a, b) => b.count - a.count)
    const lost = drops.reduce((sum, drop) => sum + drop.count, 0)
    const consumed = place === 'ip' ? result.packets.consumed : 0
    const from = WAITING[place]
    const waiting = from === undefined ? 0 : (result.waiting[from] ?? 0)
    if (place === 'out') return { place, entered: leaving, passed: sent, lost, consumed, forwarded: 0, waiting, drops }
    const forwarded = place === 'ip' ? passedOn : 0
    const left = lost + consumed + waiting + forwarded
    const passed = place === 'app' ? result.packets.delivered : Math.max(0, entered - left)
    const stage = { place, entered, passed, lost, consumed, forwarded, waiting, drops }
    entered = passed
    return stage
  })
}

/** Conservation of wire frames: offered + created = delivered + consumed + sent + dropped + in flight. */
export interface Conservation {
  /** `4 offered = 3 delivered + 1 dropped`; terms that are zero are left out. */
  readonly text: string
  readonly left: number
  readonly right: number
  readonly holds: boolean
}

/** Checks and words the conservation of a run. */
export function conservation(
  packets: ResultDocument['packets'],
  formatNumber: (value: number) => string = String,
): Conservation {
  const left = packets.offered + packets.created
  const right = packets.delivered + packets.consumed + packets.sent + packets.dropped + packets.in_flight
  const side = (terms: readonly (readonly [number, string])[]): string =>
    terms
      .filter(([count], i) => i === 0 || count !== 0)
      .map(([count, name]) => `${formatNumber(count)} ${name}`)
      .join(' + ')
  const sources = side([
    [packets.offered, 'offered'],
    [packets.created, 'created'],
  ])
  const sinks = side([
    [packets.delivered, 'delivered'],
    [packets.consumed, 'consumed'],
    [packets.sent, 'sent'],
    [packets.dropped, 'dropped'],
    [packets.in_flight, 'in flight'],
  ])
  return { text: `${sources} ${left === right ? '=' : '≠'} ${sinks}`, left, right, holds: left === right }
}
