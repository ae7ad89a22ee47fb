import { Worker } from 'node:worker_threads'
import { createRunner, type WaitRule } from '@softnet/engine'
import { buildModel, modelPartitions, reportModel } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import type { CrewTask } from './crew-thread.js'
import { Draw } from './draw.js'
import type { Snapshot } from './resumed-run.js'
import type { Report } from './run-model.js'
import { yieldsOf } from './yields.js'

/** More threads than cores: whoever waits must make room at once. */
const WAIT: WaitRule = { spins: 50, sleepMs: 20, sleepsMax: 1000 }

/** Threads that help with simulations of this one, several after another. */
export class Crew {
  readonly #threads: Worker[]
  /** Rounds of the last run; hardly any where partitions run freely. */
  rounds = 0

  constructor(helpers: number) {
    this.#threads = Array.from(
      { length: helpers },
      (_, i) => new Worker(new URL('./crew-thread.js', import.meta.url), { workerData: { worker: i + 1 } }),
    )
  }

  /** Runs a plan to its end on `workers` threads, this one leading; `stress` is the seed of points at which threads give way. */
  async run(
    plan: Plan,
    workers: number,
    { stress = 0, pieces = 1, from }: { stress?: number; pieces?: number; from?: Snapshot } = {},
  ): Promise<Report> {
    const model = buildModel(plan, {}, from?.arena)
    const partitions = modelPartitions(model)
    const runner = createRunner(partitions, { wait: WAIT, ...yieldsOf(stress, 0) })
    const task: CrewTask = { plan, arena: model.world.arena(), buffers: runner.buffers, wait: WAIT, stress }
    const ends = this.#threads.slice(0, workers - 1).map((thread) => {
      thread.postMessage(task)
      return new Promise<string>((resolve, reject) => {
        thread.once('error', reject)
        thread.once('message', (fault: string) => {
          thread.off('error', reject)
          resolve(fault)
        })
      })
    })
    runner.awaitWorkers(workers)
    const draw = new Draw(stress + 1, 50)
    const cuts = Array.from({ length: pieces - 1 }, () => Math.floor(draw.share() * plan.durationPs)).sort(
      (a, b) => a - b,
    )
    for (const cutPs of cuts) if (cutPs > (from?.atPs ?? 0)) runner.runUntil(cutPs)
    runner.runUntil(plan.durationPs)
    runner.release()
    this.rounds = runner.rounds().rounds
    const faults = (await Promise.all(ends)).filter((fault) => fault !== '')
    if (faults.length > 0) throw new Error(faults.join('\n'))
    for (const partition of partitions) partition.finish(plan.durationPs)
    return reportModel(model, plan.durationPs)
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}
