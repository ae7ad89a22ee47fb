/** What a routing decision goes by besides destination, type of service and device; each owner fills in one of its own. */
export class Flow {
  /** Signed, 0: not chosen yet. */
  saddr = 0
  /** Device a packet came in by; 0: the host sends it. */
  iif = 0
  mark = 0
  /** Protocol number and ports, 0 where nobody has looked. */
  protocol = 0
  sport = 0
  dport = 0
  /** Packet whose headers choose among several next hops, 0: what is above does. Kernel: fib_multipath_hash, skb */
  packet = 0

  /** Sets all but the packet; 0 is what is not known. Kernel: include/net/flow.h, flowi4_init_output */
  set(saddr: number, mark: number, protocol: number, sport: number, dport: number): this {
    this.saddr = saddr
    this.iif = 0
    this.mark = mark
    this.protocol = protocol
    this.sport = sport
    this.dport = dport
    this.packet = 0
    return this
  }
}

/** A flow of which nothing is known; nobody writes it. */
export const ANY_FLOW: Flow = Object.freeze(new Flow())
