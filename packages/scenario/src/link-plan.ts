/** The part of the plan that joins hosts: links between two ports, and switches. */

/** One end of a link: a device of a host. */
export interface LinkPort {
  readonly host: string
  readonly dev: string
}

/** What happens to frames on their way, and where they can go. */
export interface LinkPlan {
  readonly name: string
  /** `link`: what one end sends reaches the other; `switch`: what a port sends is stored, and forwarded by its address. */
  readonly kind: 'link' | 'switch'
  readonly ports: readonly LinkPort[]
  /** Time inside of the switch, ps; 0 for a link, whose delay is that of its devices (`DevicePlan.linkDelayPs`). */
  readonly delayPs: number
  /** Chances in [0, 1] that a frame is lost, arrives twice, or takes `reorderPs` longer than others. */
  readonly lossRate: number
  readonly duplicateRate: number
  readonly reorderRate: number
  readonly reorderPs: number
  /** Switch: bytes that may wait for a port, addresses it remembers, and for how long, ps. */
  readonly bufferBytes: number
  readonly tableSize: number
  readonly ageingPs: number
}
