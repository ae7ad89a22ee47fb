/** What one fresh process runs and measures. Times are simulated microseconds. */
export interface RunRequest {
  /** A built-in scenario, or `rss:N` for the receive scenario on N CPUs and queues. */
  readonly scenario: string
  /** Values by path that are changed in it. */
  readonly set?: Readonly<Record<string, unknown>>
  /** Drawn routes that the first host has besides its own. */
  readonly routes?: number
  /** Run before anything is measured, so that the code is compiled and the world is in its steady state. */
  readonly warmUs: number
  /** Length of one sample. */
  readonly sliceUs: number
  readonly slices: number
}

/** Packets of the measured part of a run. */
export interface Packets {
  readonly offered: number
  readonly delivered: number
  readonly dropped: number
}

/** What every measurement of a run tells. */
export interface RunFigures {
  readonly packets: Packets
  /** Of the whole run: equal for equal requests. */
  readonly digest: string
  /** Greatest resident memory of the process. */
  readonly residentMaxBytes: number
  /** Times a partition was advanced in the measured part. */
  readonly steps: number
}

/** Speed of one run; packets are those offered. */
export interface TimeFigures extends RunFigures {
  /** Building of the model, wall milliseconds. */
  readonly buildMs: number
  /** The whole measured part. */
  readonly wallMs: number
  readonly cpuMs: number
  /** Wall and processor time of the median slice, and of the fastest one. */
  readonly wallNsPerPacket: number
  readonly cpuNsPerPacket: number
  readonly fastestNsPerPacket: number
}

/** Allocation of one run on V8's heap and outside of it, over the whole measured part. */
export interface AllocationFigures extends RunFigures {
  /** Growth of the heap over the measured part. */
  readonly allocatedBytes: number
  /** Difference between a forced collection in the warm-up and one at the end. */
  readonly retainedBytes: number
  /** Collections in between: if there were any, the growth is counted slice by slice and is a lower limit. */
  readonly collections: number
}

/** Self time of one system, or of something else that took processor time. */
export interface SystemShare {
  /** Layer of the model or package; `engine` and `runtime` too. */
  readonly stage: string
  readonly name: string
  /** Of all samples. */
  readonly share: number
}

/** Where the time of one run went. The shares add up to 1. */
export interface ProfileFigures extends RunFigures {
  readonly wallMs: number
  readonly cpuMs: number
  readonly samples: number
  readonly shares: readonly SystemShare[]
}
