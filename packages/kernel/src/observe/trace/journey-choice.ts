import type { FlowFilter, Journey, JourneyQuery } from '@softnet/scenario/plan'

/** Addresses and ports of a packet. */
export interface PacketFlow {
  readonly saddr: number
  readonly daddr: number
  readonly sport: number
  readonly dport: number
}

/** Decides which packets are followed and which ways are kept. */
export class JourneyChoice {
  readonly journeys: Journey[] = []
  readonly #query: JourneyQuery
  readonly #drops = new Map<string, { readonly where: string; readonly reason: string; count: number; kept: number }>()
  #begun = 0
  /** Number next to the one asked for of all that came by; null if none did. */
  nearest: number | null = null

  constructor(query: JourneyQuery) {
    this.#query = query
  }

  /** True for a packet that is to be followed from its beginning. */
  wants(packet: number, flow: () => PacketFlow): boolean {
    const query = this.#query
    if ('packet' in query) {
      const far = this.nearest === null ? Number.POSITIVE_INFINITY : Math.abs(this.nearest - query.packet)
      if (Math.abs(packet - query.packet) < far) this.nearest = packet
      return packet === query.packet
    }
    if ('dropped' in query) return true
    if (this.#begun >= query.count || !isOfFlow(flow(), query.flow)) return false
    this.#begun++
    return true
  }

  /** The way of a packet that was followed is over. */
  keep(journey: Journey): void {
    const query = this.#query
    if (!('dropped' in query)) {
      this.journeys.push(journey)
      return
    }
    const { fate, reason, where } = journey.end
    if (fate !== 'dropped' || reason === null || where === null) return
    const key = `${where} ${reason}`
    const drops = this.#drops.get(key) ?? { where, reason, count: 0, kept: 0 }
    this.#drops.set(key, drops)
    drops.count++
    if ((query.dropped.reason ?? reason) !== reason || drops.kept >= query.count) return
    drops.kept++
    this.journeys.push(journey)
  }

  /** True once nothing more can be found. */
  get isComplete(): boolean {
    const query = this.#query
    if ('packet' in query) return this.journeys.length > 0
    if ('flow' in query) return this.journeys.length >= query.count
    return query.dropped.reason !== null && this.journeys.length >= query.count
  }

  /** Losses by place, the most first; none where the run ended as soon as enough of one reason were found. */
  get drops(): { where: string; reason: string; count: number }[] {
    if (this.isComplete) return []
    return [...this.#drops.values()]
      .map(({ where, reason, count }) => ({ where, reason, count }))
      .sort((a, b) => b.count - a.count || (`${a.where}${a.reason}` < `${b.where}${b.reason}` ? -1 : 1))
  }
}

function isOfFlow(flow: PacketFlow, wanted: FlowFilter): boolean {
  return (['saddr', 'sport', 'daddr', 'dport'] as const).every((part) => (wanted[part] ?? flow[part]) === flow[part])
}
