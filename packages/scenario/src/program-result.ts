/** What programs with sockets of their own kinds say in a result. */

/** What a `packet_capture` would say at its end, all its sockets together. */
export interface CaptureRow {
  readonly app: string
  readonly dev: string
  readonly sockets: number
  /** `ring` as in the scenario, and its size, bytes; that of the receive buffers without one. */
  readonly ring: 'tpacket_v3' | 'tpacket_v2' | 'none'
  readonly buffer_bytes: number
  /** Packets the program has seen, and bytes it kept of them. */
  readonly captured: number
  readonly captured_bytes: number
  /** PACKET_STATISTICS: packets that passed the filter, those without room, and how often a ring of blocks stood still. */
  readonly received: number
  readonly dropped: number
  readonly freezes: number
  /** Packets of each socket, in order. */
  readonly received_by_socket: readonly number[]
  /** The lines that tcpdump prints. */
  readonly text: readonly string[]
}

/** The summary of `ping`, all its tasks together; times in ns, null where nothing was measured. */
export interface PingRow {
  readonly to: string
  readonly transmitted: number
  readonly received: number
  readonly duplicates: number
  /** ICMP errors it was told of. */
  readonly errors: number
  readonly loss_percent: number
  readonly rtt_ns: { readonly min: number; readonly avg: number; readonly max: number; readonly mdev: number } | null
  /** The two lines that ping prints. */
  readonly text: readonly string[]
}
