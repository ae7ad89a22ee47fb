/** Decides how many worker threads a run uses, and says why. Results never depend on it. */

import type { ParallelAccount } from '@softnet/scenario/plan'

/** What `--workers` asked for. */
export type WorkersAsked = number | 'auto'

/** Below it a round is over before another thread has heard of it. */
export const LAMBDA_THRESHOLD = 10
/** Wall time of handing a round to another thread and back, ms: two cache lines each way and a look at the tickets. */
export const HAND_OVER_MS = 0.002
/** A run has to last this long before threads are started for it, ms: starting one takes about as long. */
export const ALONE_MS = 250
/** Wall time of a measurement, ms. */
const MEASURE_MS = 150
/** Measurements for which threads may stay without having helped: their code has to be compiled first. */
const TRIALS = 6
/** Threads that bring less than this are sent away again. */
const KEEP_SPEEDUP = 1.1
/** Threads are tried only if the rest of the run takes as long alone, ms: a trial in vain then costs a few percent. */
export const REST_MS = 5000

/** What the policy may see and do. */
export interface CrewControl {
  /** Worker threads that could work at once. */
  readonly cores: number
  readonly partitions: number
  /** Rounds so far, and partitions run in them. */
  rounds(): { readonly rounds: number; readonly partitions: number }
  /** Workers that take part now. */
  workers(): number
  recruit(count: number): void
  release(): void
}

type Phase = 'warmup' | 'alone' | 'probe' | 'joining' | 'together' | 'settled'

/**
 * `auto`: begins alone; a run that lasts is measured in rounds; if a round holds enough work, threads join, and if they do
 * not make the run faster they leave again.
 */
export class CrewPolicy {
  readonly #control: CrewControl
  readonly #asked: WorkersAsked
  #phase: Phase = 'warmup'
  #sinceMs = 0
  #sincePs = 0
  #alonePsPerMs = 0
  #trials = 0
  #best = 0
  #roundsBefore = { rounds: 0, partitions: 0 }
  #lambda: number | null = null
  #perRound: number | null = null
  #reason: string

  constructor(asked: WorkersAsked, control: CrewControl, onlyOne: string | null) {
    this.#control = control
    this.#asked = asked
    this.#reason = 'the run was over before threads could help'
    if (asked !== 'auto') this.#settle(asked === 1 ? 'asked for' : `${asked} workers were asked for`)
    if (onlyOne !== null && asked !== 1) this.#settle(onlyOne)
    else if (asked === 'auto' && control.partitions < 2) {
      this.#settle('everything is one partition: its parts share something without latency')
    } else if (asked === 'auto' && control.cores < 2) this.#settle('there is one core')
  }

  /** True: the next slice is to be run in rounds, so that they can be measured. */
  get inRounds(): boolean {
    return this.#phase === 'probe'
  }

  /** After a slice that took `tookMs` for `slicePs`, with `restPs` of the run still to come. */
  afterSlice(slicePs: number, tookMs: number, restPs: number): void {
    if (this.#phase === 'settled') return
    this.#sinceMs += tookMs
    this.#sincePs += slicePs
    switch (this.#phase) {
      case 'warmup':
        // Code is being compiled: not the speed to compare with.
        if (this.#sinceMs >= ALONE_MS) this.#enter('alone')
        return
      case 'alone':
        if (this.#sinceMs < ALONE_MS) return
        this.#alonePsPerMs = this.#sincePs / this.#sinceMs
        this.#enter('probe')
        return
      case 'probe':
        this.#judgeRounds(restPs)
        return
      case 'joining':
        if (this.#control.workers() > 1) this.#enter('together')
        return
      default:
        if (this.#sinceMs >= MEASURE_MS) this.#judgeSpeed()
    }
  }

  account(): ParallelAccount {
    return {
      asked: this.#asked,
      lambda: this.#lambda,
      threshold: LAMBDA_THRESHOLD,
      partitions_per_round: this.#perRound,
      reason: this.#reason,
    }
  }

  #restart(): void {
    this.#sinceMs = 0
    this.#sincePs = 0
    this.#roundsBefore = this.#control.rounds()
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#restart()
  }

  #settle(reason: string): void {
    this.#phase = 'settled'
    this.#reason = reason
  }

  #judgeRounds(restPs: number): void {
    const now = this.#control.rounds()
    const rounds = now.rounds - this.#roundsBefore.rounds
    if (rounds === 0) return
    const lambda = this.#sinceMs / rounds / HAND_OVER_MS
    const perRound = (now.partitions - this.#roundsBefore.partitions) / rounds
    this.#lambda = Math.round(lambda * 10) / 10
    this.#perRound = Math.round(perRound * 10) / 10
    if (lambda < LAMBDA_THRESHOLD) {
      this.#settle('a round holds too little work to share: the lookahead between partitions is short')
      return
    }
    if (perRound < 1.5) {
      this.#settle('mostly one partition at a time has work')
      return
    }
    if (restPs / this.#alonePsPerMs < REST_MS) {
      this.#settle('the rest of the run is too short for threads to be worth a trial')
      return
    }
    const helpers = Math.min(this.#control.cores, Math.ceil(perRound)) - 1
    this.#reason = 'threads were joining when the run ended'
    this.#control.recruit(helpers)
    this.#enter('joining')
  }

  #judgeSpeed(): void {
    this.#best = Math.max(this.#best, this.#sincePs / this.#sinceMs / this.#alonePsPerMs)
    const shown = `${this.#best.toFixed(2)} times as fast as alone`
    if (this.#best >= KEEP_SPEEDUP) {
      this.#settle(`${this.#control.workers()} workers were ${shown}`)
      return
    }
    if (++this.#trials < TRIALS) {
      this.#restart()
      return
    }
    const workers = this.#control.workers()
    this.#control.release()
    this.#settle(`${workers} workers were tried and were at best ${shown}`)
  }
}
