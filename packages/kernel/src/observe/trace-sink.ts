/** What an observer is told while the machine runs; nothing it does may change the run. */
export interface TraceSink {
  /** False: no call is made. Constant from binding on. */
  readonly on: boolean
  softirqEntry(cpu: number, nowPs: number, vector: number, inKsoftirqd: boolean): void
  softirqExit(cpu: number, nowPs: number, vector: number): void
  napiPoll(cpu: number, nowPs: number, napi: number, work: number, budget: number): void
  groResult(cpu: number, nowPs: number, skb: number, result: number): void
  netifReceiveSkb(cpu: number, nowPs: number, skb: number): void
  kfreeSkb(cpu: number, nowPs: number, skb: number, drop: number): void
  /** A packet at the taps (`ptype_all`) of the device it is on: behind GRO and generic XDP, once per device it passes. */
  tap(cpu: number, nowPs: number, skb: number): void
}

/** A sink that is off. */
export const NO_TRACE: TraceSink = {
  on: false,
  softirqEntry() {},
  softirqExit() {},
  napiPoll() {},
  groResult() {},
  netifReceiveSkb() {},
  kfreeSkb() {},
  tap() {},
}
